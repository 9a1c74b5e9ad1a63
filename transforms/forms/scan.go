package forms

import "strings"

// scanner reads a date from left to right. Its methods give false and leave the
// scanner where it was when what they look for is not there.
type scanner struct{ s string }

func (r *scanner) done() bool { return r.s == "" }

// digits reads exactly n digits.
func (r *scanner) digits(n int) (int, bool) {
	if len(r.s) < n {
		return 0, false
	}
	v := 0
	for i := range n {
		c := r.s[i]
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + int(c-'0')
	}
	r.s = r.s[n:]
	return v, true
}

// upTo reads one to n digits.
func (r *scanner) upTo(n int) (int, bool) {
	k := 0
	for k < n && k < len(r.s) && r.s[k] >= '0' && r.s[k] <= '9' {
		k++
	}
	if k == 0 {
		return 0, false
	}
	return r.digits(k)
}

// one reads one character out of set.
func (r *scanner) one(set string) bool {
	if r.s == "" || strings.IndexByte(set, r.s[0]) < 0 {
		return false
	}
	r.s = r.s[1:]
	return true
}

// fraction reads one to most digits of a fraction of a second.
func (r *scanner) fraction(most int) (nano, digits int, ok bool) {
	before := len(r.s)
	v, ok := r.upTo(most)
	if !ok {
		return 0, 0, false
	}
	digits = before - len(r.s)
	for range 9 - digits {
		v *= 10
	}
	return v, digits, true
}

// offset reads +hhmm, +hh:mm or +hh: seconds east of UTC. No place on earth is
// more than 14 hours away from it.
func (r *scanner) offset() (seconds int, ok bool) {
	was := r.s
	minus := strings.HasPrefix(r.s, "-")
	if !r.one("+-") {
		return 0, false
	}
	h, ok := r.digits(2)
	m := 0
	if ok && !r.done() {
		r.one(":")
		m, ok = r.digits(2)
	}
	if !ok || h > 14 || m > 59 || h == 14 && m > 0 {
		r.s = was
		return 0, false
	}
	seconds = (h*60 + m) * 60
	if minus {
		seconds = -seconds
	}
	return seconds, true
}

var monthNames = [...]string{"January", "February", "March", "April", "May", "June",
	"July", "August", "September", "October", "November", "December"}

// month reads an English name of a month, in full or its first three letters
// (Sept too), in any case.
func (r *scanner) month() (int, bool) {
	n := 0
	for n < len(r.s) && (r.s[n]|0x20 >= 'a' && r.s[n]|0x20 <= 'z') {
		n++
	}
	word := r.s[:n]
	for i, name := range monthNames {
		if strings.EqualFold(word, name) || strings.EqualFold(word, name[:3]) || i == 8 && strings.EqualFold(word, "Sept") {
			r.s = r.s[n:]
			return i + 1, true
		}
	}
	return 0, false
}

package forms

import "strings"

// Phone reads a telephone number and gives its digits: a number of the United
// Kingdom with its leading 0 (+44 (0)113 496 0000 is 01134960000; nine to eleven
// digits, Ofcom's numbering plan), any other with + and its country code (ITU-T
// E.164, at most 15 digits). Blanks, dots, dashes, slashes and brackets are
// tolerated; letters, extensions among them, are not.
func Phone(s string) (digits string, ok bool) {
	d, plus, ok := phoneDigits(strings.TrimSpace(s))
	if !ok {
		return "", false
	}
	if !plus && strings.HasPrefix(d, "00") {
		d, plus = d[2:], true
	}
	if home, uk := strings.CutPrefix(d, "44"); plus && uk {
		d, plus = "0"+strings.TrimPrefix(home, "0"), false
	}
	switch {
	case plus && len(d) >= 7 && len(d) <= 15 && d[0] != '0':
		return "+" + d, true
	case !plus && len(d) >= 9 && len(d) <= 11 && d[0] == '0' && d[1] != '0':
		return d, true
	}
	return "", false
}

func phoneDigits(s string) (digits string, plus, ok bool) {
	b := make([]byte, 0, 16)
	for i, r := range s {
		switch {
		case r >= '0' && r <= '9' && len(b) < 20:
			b = append(b, byte(r))
		case r == '+' && i == 0:
			plus = true
		case !separator(r) && !strings.ContainsRune(".()/", r):
			return "", false, false
		}
	}
	return string(b), plus, len(b) > 0
}

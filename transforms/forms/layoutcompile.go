package forms

import (
	"fmt"
	"strings"
)

type layoutCompiler struct {
	text string
	at   int
	seen map[Precision]bool
}

// precisionOf is what a token reaches to; an offset adds none.
func precisionOf(token string) Precision {
	switch token[0] {
	case 'Y':
		return Year
	case 'M':
		return Month
	case 'D':
		return Day
	case 'H':
		return Hour
	case 'm':
		return Minute
	case 's':
		return Second
	case 'S':
		return Fraction
	}
	return None
}

func (c *layoutCompiler) fail(at int, format string, args ...any) error {
	return &LayoutError{Offset: at, Text: fmt.Sprintf(format, args...)}
}

// run compiles up to the end, or within brackets up to the one that closes.
func (c *layoutCompiler) run(depth int) ([]part, error) {
	ps := []part{} // not nil: an optional run of nothing is one still
	for opened := c.at; ; {
		if c.at == len(c.text) {
			if depth > 0 {
				return nil, c.fail(max(opened-1, 0), "the [ is not closed")
			}
			return ps, nil
		}
		var p part
		var err error
		switch ch := c.text[c.at]; {
		case ch == '[' && depth == 6:
			return nil, c.fail(c.at, "too many brackets within each other")
		case ch == '[':
			c.at++
			p.inner, err = c.run(depth + 1)
		case ch == ']' && depth > 0:
			c.at++
			return ps, nil
		case ch == ']':
			return nil, c.fail(c.at, "the ] closes nothing")
		case ch == '\'':
			p.literal, err = c.quoted()
		case letter(ch) && ch != 'T':
			p.token, err = c.token()
		default:
			p.literal = c.text[c.at : c.at+1]
			c.at++
		}
		if err != nil {
			return nil, err
		}
		ps = append(ps, p)
	}
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

// quoted reads '...'; two of them within are one.
func (c *layoutCompiler) quoted() (string, error) {
	start := c.at
	var b strings.Builder
	for c.at++; c.at < len(c.text); c.at++ {
		if c.text[c.at] != '\'' {
			b.WriteByte(c.text[c.at])
			continue
		}
		c.at++
		if c.at < len(c.text) && c.text[c.at] == '\'' {
			b.WriteByte('\'')
			continue
		}
		if b.Len() == 0 {
			return "'", nil
		}
		return b.String(), nil
	}
	return "", c.fail(start, "the ' is not closed")
}

// token reads a run of one letter, which must be a part that there is.
func (c *layoutCompiler) token() (string, error) {
	start := c.at
	for c.at < len(c.text) && c.text[c.at] == c.text[start] {
		c.at++
	}
	t := c.text[start:c.at]
	if t == "ZZ" && strings.HasPrefix(c.text[c.at:], ":ZZ") {
		c.at += 3
		t = "ZZ:ZZ"
	}
	if !known(t) {
		return "", c.fail(start, "%q is no part of a layout; %s", t, instead(t[0]))
	}
	p := precisionOf(t)
	if c.seen[p] {
		return "", c.fail(start, "the layout has its %s twice", partName(p))
	}
	c.seen[p] = true
	return t, nil
}

func known(t string) bool {
	switch t {
	case "YYYY", "M", "MM", "MMM", "MMMM", "D", "DD", "HH", "mm", "ss", "ZZZZ", "ZZ:ZZ":
		return true
	}
	return t[0] == 'S' && len(t) <= 9
}

func instead(c byte) string {
	switch c {
	case 'y', 'Y':
		return "the year is YYYY"
	case 'd', 'D':
		return "the day is DD or D"
	case 'h', 'H':
		return "the hour, of 24, is HH"
	case 'm':
		return "the minute is mm, the month MM"
	case 'M':
		return "the month is MM, M, MMM or MMMM"
	case 's', 'S':
		return "the second is ss, its fraction S to SSSSSSSSS"
	case 'z', 'Z', 'X', 'x':
		return "the offset is ZZZZ or ZZ:ZZ"
	}
	return "put literal letters in single quotes"
}

func partName(p Precision) string {
	if p == None {
		return "offset"
	}
	return p.String()
}

// chain refuses a layout from which no date could be told: with a day and without
// a month, say.
func (c *layoutCompiler) chain() error {
	finest := Year
	for p := range c.seen {
		finest = max(finest, p)
	}
	for p := Year; p <= finest; p++ {
		if !c.seen[p] {
			return c.fail(0, "the layout has no %s", p)
		}
	}
	return nil
}

package forms

import (
	"fmt"
	"strings"
)

// Layout is a form of dates that a feed describes by its parts:
//
//	YYYY year   MM month, M without the zero, MMM Oct, MMMM October   DD day, D without the zero
//	HH hour   mm minute   ss second   S to SSSSSSSSS fraction of a second
//	ZZZZ offset +0100, ZZ:ZZ +01:00
//	[...] is written when the date has it, and read when it is there: DD/MM/YYYY[ HH:mm[:ss]]
//	'...' is literal; so is whatever is no letter, and the T of ISO 8601
//
// It is immutable.
type Layout struct {
	text  string
	parts []part
}

// part is a token, a literal, or (inner) an optional run of parts.
type part struct {
	token   string
	literal string
	inner   []part
}

// LayoutError says what is wrong with the text of a layout and where, in bytes
// from 0.
type LayoutError struct {
	Offset int
	Text   string
}

func (e *LayoutError) Error() string { return e.Text }

// NewLayout compiles a layout. The error is a *LayoutError.
func NewLayout(text string) (*Layout, error) {
	c := layoutCompiler{text: text, seen: map[Precision]bool{}}
	ps, err := c.run(0)
	if err != nil {
		return nil, err
	}
	if err := c.chain(); err != nil {
		return nil, err
	}
	return &Layout{text: text, parts: ps}, nil
}

// String is the text it was made of.
func (l *Layout) String() string { return l.text }

// ParseLayout compiles a layout and reads one date with it. For more than one use
// NewLayout.
func ParseLayout(layout, s string) (Date, bool) {
	l, err := NewLayout(layout)
	if err != nil {
		return Date{}, false
	}
	return l.Parse(s)
}

// FormatLayout compiles a layout and writes one date with it.
func FormatLayout(layout string, d Date) (string, bool) {
	l, err := NewLayout(layout)
	if err != nil {
		return "", false
	}
	return l.Format(d)
}

// Parse reads a date; its precision is that of the finest part that was there.
func (l *Layout) Parse(s string) (Date, bool) {
	r, p := scanner{s}, parts{}
	if !r.run(l.parts, &p) || !r.done() {
		return Date{}, false
	}
	return p.date()
}

func (r *scanner) run(ps []part, p *parts) bool {
	for i := range ps {
		x := &ps[i]
		switch {
		case x.inner != nil:
			try, found := *r, *p
			if try.run(x.inner, &found) {
				*r, *p = try, found
			}
		case x.literal != "":
			rest, ok := strings.CutPrefix(r.s, x.literal)
			if !ok {
				return false
			}
			r.s = rest
		case !r.token(x.token, p):
			return false
		}
	}
	return true
}

func (r *scanner) token(t string, p *parts) (ok bool) {
	switch t {
	case "YYYY":
		p.year, ok = r.digits(4)
	case "MM":
		p.month, ok = r.digits(2)
	case "M":
		p.month, ok = r.upTo(2)
	case "MMM", "MMMM":
		p.month, ok = r.month()
	case "DD":
		p.day, ok = r.digits(2)
	case "D":
		p.day, ok = r.upTo(2)
	case "HH":
		p.hour, ok = r.digits(2)
	case "mm":
		p.minute, ok = r.digits(2)
	case "ss":
		p.second, ok = r.digits(2)
	case "ZZZZ", "ZZ:ZZ":
		p.offset, ok = r.offset()
		p.zoned = ok
		return ok
	default:
		before := len(r.s)
		p.nano, p.digits, ok = r.fraction(len(t))
		ok = ok && before-len(r.s) == len(t)
	}
	p.prec = max(p.prec, precisionOf(t))
	return ok
}

// Format writes a date. ok is false when the date is less precise than the layout,
// or has no offset where the layout writes one: what is not known is not made up.
func (l *Layout) Format(d Date) (string, bool) {
	if d.IsZero() {
		return "", false
	}
	out, ok := d.run(make([]byte, 0, 32), l.parts)
	return string(out), ok
}

func (d Date) run(out []byte, ps []part) ([]byte, bool) {
	for i := range ps {
		switch x := &ps[i]; {
		case x.inner != nil:
			if more, ok := d.run(out, x.inner); ok {
				out = more
			}
		case x.literal != "":
			out = append(out, x.literal...)
		case precisionOf(x.token) > d.prec, x.token[0] == 'Z' && !d.zoned:
			return out, false
		default:
			out = d.token(out, x.token)
		}
	}
	return out, true
}

func (d Date) token(out []byte, t string) []byte {
	w := d.wall
	switch t {
	case "YYYY":
		return fmt.Appendf(out, "%04d", w.Year())
	case "MM":
		return fmt.Appendf(out, "%02d", int(w.Month()))
	case "M":
		return fmt.Append(out, int(w.Month()))
	case "MMM":
		return append(out, monthNames[w.Month()-1][:3]...)
	case "MMMM":
		return append(out, monthNames[w.Month()-1]...)
	case "DD":
		return fmt.Appendf(out, "%02d", w.Day())
	case "D":
		return fmt.Append(out, w.Day())
	case "HH":
		return fmt.Appendf(out, "%02d", w.Hour())
	case "mm":
		return fmt.Appendf(out, "%02d", w.Minute())
	case "ss":
		return fmt.Appendf(out, "%02d", w.Second())
	case "ZZZZ":
		return d.appendOffset(out, "")
	case "ZZ:ZZ":
		return d.appendOffset(out, ":")
	}
	return append(out, fmt.Sprintf("%09d", w.Nanosecond())[:len(t)]...)
}

package generate

import (
	"strconv"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
)

// er7 is a value in the standard's notation, with the delimiters ^ ~ \ & escaped
// wherever they are text. Only the functions of this file make one of a text.
type er7 string

// text escapes one leaf. The standard delimiters declare an escape character, so it
// cannot fail; a control character becomes \Xhh\.
func text(s string) er7 {
	out, err := hl7.EscapeText(s, hl7.StandardDelimiters())
	if err != nil {
		return ""
	}
	return er7(out)
}

// parts joins texts as components; empty ones at the end are left out.
func parts(ss ...string) er7 { return joined("^", ss) }

func joined(sep string, ss []string) er7 {
	out := make([]string, len(ss))
	for i, s := range ss {
		out[i] = string(text(s))
	}
	return er7(strings.TrimRight(strings.Join(out, sep), sep))
}

// repeats joins the repetitions of a field, without the empty ones.
func repeats(vs ...er7) er7 {
	kept := vs[:0:0]
	for _, v := range vs {
		if v != "" {
			kept = append(kept, v)
		}
	}
	return glue("~", kept)
}

func glue(sep string, vs []er7) er7 {
	out := make([]string, len(vs))
	for i, v := range vs {
		out[i] = string(v)
	}
	return er7(strings.TrimRight(strings.Join(out, sep), sep))
}

func number(n int) er7 { return er7(strconv.Itoa(n)) }

// stamp is a time to the second. It carries no zone: that of MSH-7 holds for the
// whole message (chapter 2, MSH-7).
func stamp(t time.Time) er7 {
	if t.IsZero() {
		return ""
	}
	return er7(t.Format("20060102150405"))
}

func date(t time.Time) er7 { return er7(t.Format("20060102")) }

// fields are the values of one segment by their number, from 1.
type fields map[int]er7

// segment writes ID|1|2|...; fields that nobody gave are empty, and there are no
// separators after the last one.
func segment(id string, f fields) string {
	last := 0
	for n, v := range f {
		if v != "" {
			last = max(last, n)
		}
	}
	var b strings.Builder
	b.WriteString(id)
	for n := 1; n <= last; n++ {
		b.WriteByte('|')
		b.WriteString(string(f[n]))
	}
	return b.String()
}

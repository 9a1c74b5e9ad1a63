package xmldoc

import (
	"math"
	"strings"
	"unicode/utf8"
)

// function is one of the core library (XPath 1.0 section 4). Arguments have any
// type and are converted, as the standard has it; those of sets are paths.
type function struct {
	usage       string
	least, most int
	sets        bool
	gives       kindOf
	do          func(r *run, c context, a []value) value
}

var functions = map[string]*function{
	"last":             {"last()", 0, 0, false, figure, func(_ *run, c context, _ []value) value { return value{f: float64(c.size)} }},
	"position":         {"position()", 0, 0, false, figure, func(_ *run, c context, _ []value) value { return value{f: float64(c.pos)} }},
	"count":            {"count(path)", 1, 1, true, figure, func(_ *run, _ context, a []value) value { return value{f: float64(len(a[0].set))} }},
	"sum":              {"sum(path)", 1, 1, true, figure, sum},
	"local-name":       {"local-name(path)", 0, 1, true, text, naming(func(_, local, _ string) string { return local })},
	"name":             {"name(path)", 0, 1, true, text, naming(func(all, _, _ string) string { return all })},
	"namespace-uri":    {"namespace-uri(path)", 0, 1, true, text, naming(func(_, _, uri string) string { return uri })},
	"string":           {"string(x)", 0, 1, false, text, func(r *run, c context, a []value) value { return value{s: r.own(c, a)} }},
	"string-length":    {"string-length(x)", 0, 1, false, figure, length},
	"normalize-space":  {"normalize-space(x)", 0, 1, false, text, normalize},
	"concat":           {"concat(a, b, ...)", 2, math.MaxInt, false, text, concat},
	"starts-with":      {"starts-with(text, start)", 2, 2, false, truth, textTest(strings.HasPrefix)},
	"contains":         {"contains(text, part)", 2, 2, false, truth, textTest(strings.Contains)},
	"substring-before": {"substring-before(text, mark)", 2, 2, false, text, before},
	"substring-after":  {"substring-after(text, mark)", 2, 2, false, text, after},
	"substring":        {"substring(text, start, length)", 2, 3, false, text, substring},
	"translate":        {"translate(text, from, to)", 3, 3, false, text, translate},
	"boolean":          {"boolean(x)", 1, 1, false, truth, func(r *run, _ context, a []value) value { return value{b: r.truth(a[0])} }},
	"not":              {"not(x)", 1, 1, false, truth, func(r *run, _ context, a []value) value { return value{b: !r.truth(a[0])} }},
	"true":             {"true()", 0, 0, false, truth, func(*run, context, []value) value { return value{b: true} }},
	"false":            {"false()", 0, 0, false, truth, func(*run, context, []value) value { return value{} }},
	"lang":             {"lang(text)", 1, 1, false, truth, lang},
	"number":           {"number(x)", 0, 1, false, figure, number1},
	"floor":            {"floor(x)", 1, 1, false, figure, rounding(math.Floor)},
	"ceiling":          {"ceiling(x)", 1, 1, false, figure, rounding(math.Ceil)},
	"round":            {"round(x)", 1, 1, false, figure, rounding(round)},
}

// own is the text of the argument, of the context node when there is none.
func (r *run) own(c context, a []value) string {
	if len(a) == 0 {
		return r.text(c.node)
	}
	return r.string(a[0])
}

func sum(r *run, _ context, a []value) (v value) {
	for _, i := range a[0].set {
		v.f += parseNumber(r.text(i))
	}
	return v
}

func naming(pick func(all, local, uri string) string) func(*run, context, []value) value {
	return func(r *run, c context, a []value) value {
		i := c.node
		if len(a) > 0 {
			if len(a[0].set) == 0 {
				return value{}
			}
			i = a[0].set[0]
		}
		n := r.d.at(i)
		if n.kind != kElement && n.kind != kAttr && n.kind != kPI {
			return value{}
		}
		name := r.d.nameOf(n)
		_, local := split(name)
		return value{s: pick(string(name), string(local), r.d.uris[n.space])}
	}
}

func length(r *run, c context, a []value) value {
	return value{f: float64(utf8.RuneCountInString(r.own(c, a)))}
}

func normalize(r *run, c context, a []value) value {
	words := strings.FieldsFunc(r.own(c, a), func(x rune) bool { return x < 0x80 && isSpace(byte(x)) })
	return value{s: strings.Join(words, " ")}
}

func concat(r *run, _ context, a []value) value {
	var s strings.Builder
	for _, x := range a {
		s.WriteString(r.string(x))
	}
	return value{s: s.String()}
}

func textTest(has func(s, part string) bool) func(*run, context, []value) value {
	return func(r *run, _ context, a []value) value { return value{b: has(r.string(a[0]), r.string(a[1]))} }
}

func before(r *run, _ context, a []value) value {
	if s, _, ok := strings.Cut(r.string(a[0]), r.string(a[1])); ok {
		return value{s: s}
	}
	return value{}
}

func after(r *run, _ context, a []value) value {
	_, s, _ := strings.Cut(r.string(a[0]), r.string(a[1]))
	return value{s: s}
}

// substring counts characters from 1 and rounds; NaN selects nothing.
func substring(r *run, _ context, a []value) value {
	from, to := round(r.number(a[1])), math.Inf(1)
	if len(a) == 3 {
		to = from + round(r.number(a[2]))
	}
	s := r.string(a[0])
	begin, end, pos := -1, len(s), 0.0
	for i := range s {
		pos++
		in := pos >= from && pos < to
		if in && begin < 0 {
			begin = i
		} else if !in && begin >= 0 {
			end = i
			break
		}
	}
	if begin < 0 {
		return value{}
	}
	return value{s: s[begin:end]}
}

func translate(r *run, _ context, a []value) value {
	from, to := r.string(a[1]), []rune(r.string(a[2]))
	table := map[rune]rune{}
	n := 0
	for _, x := range from {
		if _, ok := table[x]; !ok {
			if table[x] = -1; n < len(to) {
				table[x] = to[n]
			}
		}
		n++
	}
	return value{s: strings.Map(func(x rune) rune {
		if y, ok := table[x]; ok {
			return y
		}
		return x
	}, r.string(a[0]))}
}

// lang looks for the nearest xml:lang.
func lang(r *run, c context, a []value) value {
	want := strings.ToLower(r.string(a[0]))
	for i := c.node; ; i = r.d.at(i).parent {
		n := r.d.at(i)
		if n.kind == kRoot {
			return value{}
		}
		if n.kind != kElement {
			continue
		}
		if at := r.d.attribute(i, inXML, "lang"); at != 0 {
			have := strings.ToLower(r.text(at))
			return value{b: have == want || strings.HasPrefix(have, want+"-")}
		}
	}
}

func number1(r *run, c context, a []value) value {
	if len(a) == 0 {
		return value{f: parseNumber(r.text(c.node))}
	}
	return value{f: r.number(a[0])}
}

func rounding(f func(float64) float64) func(*run, context, []value) value {
	return func(r *run, _ context, a []value) value { return value{f: f(r.number(a[0]))} }
}

// round takes halves up (section 4.4).
func round(f float64) float64 {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return f
	}
	return math.Floor(f + 0.5)
}

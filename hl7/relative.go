package hl7

import (
	"strconv"
	"strings"
)

// A Relative is a selector below something that has a name, such as obx-5,
// ord/OBR-4.1 or id.4.2. In makes a Path of it for one Anchor. It is immutable
// and may be shared by goroutines.
type Relative struct{ r *relative }

type relative struct {
	name  string
	own   choice // name(...): repetitions of a field
	below byte   // '/' or '>', then p holds the rest; 0 = nums do
	p     path
	sep   byte   // before the first number, as written: obx-5, id.1
	nums  [3]int // as many as are written
	rep   choice // behind the first number
	text  string
}

// ParseRelative reads a selector that begins with a name.
//
//	relative = name [ sel ] [ "-" n [ sel ] [ "." n [ "." n ] ] ] | name ( "/" | ">" ) path
//	name     = a lower-case letter { lower-case letter | digit | "_" }
//
// What the numbers mean depends on what the name stands for: below a segment
// the first is a field, below a field or repetition a component. Errors: *PathError.
func ParseRelative(s string) (Relative, error) {
	name := itemName(s)
	rd := &pathReader{s: s, i: len(name)}
	if name == "" {
		rd.fail(0, "a name begins with a lower-case letter", "such as obx-5")
	}
	r := &relative{name: name}
	rd.relative(r)
	if rd.err != nil {
		return Relative{}, rd.err
	}
	r.text = r.canonical()
	return Relative{r}, nil
}

// ItemName gives the name that a selector begins with; "" when it begins with a
// segment id or is none.
func ItemName(s string) string { return itemName(s) }

func itemName(s string) string {
	n := 0
	for n < len(s) && (s[n] >= 'a' && s[n] <= 'z' || n > 0 && (isDigit(s[n]) || s[n] == '_')) {
		n++
	}
	return s[:n]
}

func (rd *pathReader) relative(r *relative) {
	switch c := rd.peek(); {
	case c == '/' || c == '>':
		rd.i++
		r.below = c
		rd.path(&r.p)
		if c == '>' && r.p.group != nil {
			rd.fail(len(r.name), "> stands only before the last segment", "write "+r.name+"/ here")
		}
		return
	case c != 0:
		rd.choice(&r.own, false)
	}
	if r.sep = rd.peek(); r.own.given() {
		r.sep = '.'
	}
	for k := range r.nums {
		if !rd.separator() {
			break
		}
		r.nums[k] = rd.number(maxField)
		if k == 0 {
			rd.choice(&r.rep, false)
		}
	}
	if rd.err == nil && rd.i < len(rd.s) {
		rd.fail(rd.i, "unexpected character", "write "+r.name+"-field.component, such as "+r.name+"-5.1")
	}
}

func (r *relative) canonical() string {
	var s strings.Builder
	s.WriteString(r.name)
	if r.below != 0 {
		s.WriteByte(r.below)
		s.WriteString(r.p.canonical())
		return s.String()
	}
	r.own.write(&s)
	for k, n := range r.nums {
		if n == 0 {
			break
		}
		if k == 0 {
			s.WriteByte(r.sep)
		} else {
			s.WriteByte('.')
		}
		s.WriteString(strconv.Itoa(n))
		if k == 0 {
			r.rep.write(&s)
		}
	}
	return s.String()
}

// IsZero tells whether r is the zero Relative.
func (r Relative) IsZero() bool { return r.r == nil }

// Name is the name it begins with.
func (r Relative) Name() string {
	if r.r == nil {
		return ""
	}
	return r.r.name
}

// String is the canonical form.
func (r Relative) String() string {
	if r.r == nil {
		return ""
	}
	return r.r.text
}

// IsList tells whether it holds (*).
func (r Relative) IsList() bool {
	if r.r == nil {
		return false
	}
	p := &r.r.p
	return r.r.own.which == all || r.r.rep.which == all || p.seg.which == all || p.rep.which == all || p.group != nil && p.group.which == all
}

// HasCondition tells whether it selects by value.
func (r Relative) HasCondition() bool {
	if r.r == nil {
		return false
	}
	p := &r.r.p
	return len(r.r.own.conds)+len(r.r.rep.conds)+len(p.seg.conds)+len(p.rep.conds) > 0 || p.group != nil && len(p.group.conds) > 0
}

// Path gives the path that stands behind / or >, and false when there is none.
func (r Relative) Path() (Path, bool) {
	if r.r == nil || r.r.below == 0 {
		return Path{}, false
	}
	p := r.r.p
	return p.sealed(), true
}

// IsItem tells whether it is the name alone.
func (r Relative) IsItem() bool {
	return r.r != nil && r.r.below == 0 && r.r.nums[0] == 0 && !r.r.own.given()
}

// Fits says whether it can select anything below an anchor of a level; group:
// of a group of segments. The error is a *PathError.
func (r Relative) Fits(l Level, group bool) error {
	if r.r == nil {
		return &PathError{Text: "no selector"}
	}
	deepest := [...]int{SegmentLevel: 3, FieldLevel: 2, RepetitionLevel: 2, ComponentLevel: 1, SubcomponentLevel: 0}[l]
	x, text, hint := r.r, "", ""
	switch {
	case x.below != 0 && l != SegmentLevel:
		text, hint = x.name+" is no segment and no group: nothing stands behind it", "write "+x.name+".1 for a part of it"
	case x.below == '>' && group:
		text, hint = "> follows one segment, and "+x.name+" is a group", "write "+x.name+"/"
	case x.below != 0:
		return nil
	case group && !r.IsItem():
		text, hint = x.name+" is a group of segments and has no fields itself", "name one of its segments, such as "+x.name+"/OBR-4"
	case x.own.given() && l != FieldLevel:
		text, hint = x.name+" has no repetitions to choose from", ""
	case x.rep.given() && l != SegmentLevel:
		text, hint = "only a field has repetitions", ""
	case deepest < 3 && x.nums[deepest] != 0:
		text, hint = "it goes deeper than "+x.name+" has parts", ""
	default:
		return nil
	}
	return &PathError{Input: x.text, Offset: len(x.name), Text: text, Hint: hint}
}

// In gives the path below one anchor. The error is a *PathError: this anchor
// has no such parts. The path keeps the text of r.
func (r Relative) In(a Anchor) (Path, error) {
	l := a.level()
	if err := r.Fits(l, a.group > 0); err != nil {
		return Path{}, err
	}
	x := r.r
	p := &path{}
	if x.below != 0 {
		*p = x.p
		p.below = x.below
	} else {
		p.seg.id = a.id
		p.field, p.rep.which, p.comp, p.sub = a.field, a.rep, a.comp, a.sub
		switch l {
		case SegmentLevel:
			p.field, p.rep, p.comp, p.sub = x.nums[0], x.rep, x.nums[1], x.nums[2]
		case FieldLevel:
			p.rep, p.comp, p.sub = x.own, x.nums[0], x.nums[1]
		case RepetitionLevel:
			p.comp, p.sub = x.nums[0], x.nums[1]
		case ComponentLevel:
			p.sub = x.nums[0]
		}
	}
	p.at, p.text, p.simple = a, x.text, false
	return Path{p}, nil
}

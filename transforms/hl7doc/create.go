package hl7doc

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
)

// Create makes the node that a selector's condition asks for and writes the
// condition's own values into it, so that the selector matches afterwards:
//
//	PID-3(5=NH).1        a further repetition of PID-3 with NH in component 5
//	OBX(3.1=X)-5         a further OBX with X in OBX-3.1
//	obx-3(5=L).1         a further repetition in the item's own segment
func (d *Doc) Create(s message.Selector) error {
	if r, ok := s.(*relative); ok {
		return d.createBelow(r)
	}
	p, err := d.path(s)
	if err != nil {
		return err
	}
	if p.InGroup() {
		return fmt.Errorf("cannot create %s: make the segment of a group with insert", s)
	}
	seg, rest := cutSegment(p.String())
	base, conds := cutConditions(seg)
	if len(conds) > 0 && d.M.State(mustSegment(seg)) == hl7.Absent {
		made, err := d.M.AppendSegment(base)
		if err != nil {
			return err
		}
		if err := d.fill(nil, made.String()+"-", conds); err != nil {
			return err
		}
	}
	field, conds := cutConditions(rest)
	if len(conds) == 0 || d.Presence(s) != message.Absent {
		return nil
	}
	return d.addRepetition(nil, seg+"-"+field, conds)
}

// createBelow is Create within the segment of an item.
func (d *Doc) createBelow(r *relative) error {
	if _, below := r.Path(); below {
		return fmt.Errorf("cannot create %s: make the segment of a group with insert", r)
	}
	field, conds := cutConditions(r.String())
	if len(conds) == 0 || !d.Holds(r.slot) {
		return noMatch{fmt.Errorf("nothing matches %s, and nothing can be made there", r)}
	}
	if d.Presence(r) != message.Absent {
		return nil
	}
	return d.addRepetition(map[string]int{r.Name(): r.slot}, field, conds)
}

// addRepetition makes the next repetition of a field; an empty field has none.
func (d *Doc) addRepetition(items map[string]int, field string, conds []string) error {
	list, err := Compile(field+"(*)", items)
	if err != nil {
		return err
	}
	n := d.M.Count(d.reading(list))
	return d.fill(items, fmt.Sprintf("%s(#%d).", field, n+1), conds)
}

// fill writes the conditions' values below prefix.
func (d *Doc) fill(items map[string]int, prefix string, conds []string) error {
	for _, c := range conds {
		at, text, _ := strings.Cut(c, "=")
		if prefix[len(prefix)-1] == '-' {
			at = strings.Replace(at, ".", "(#1).", 1) // OBX-3.1 is the component of the first repetition
		}
		s, err := Compile(prefix+at, items)
		if err != nil {
			return err
		}
		if err := d.Set(s, unquoted(text)); err != nil {
			return err
		}
	}
	return nil
}

func unquoted(s string) string {
	if strings.HasPrefix(s, `"`) {
		if u, err := strconv.Unquote(s); err == nil {
			return u
		}
	}
	return s
}

func mustSegment(s string) hl7.Path {
	p, err := hl7.ParsePath(s)
	if err != nil {
		return hl7.Path{} // cannot be: s begins a path that was parsed
	}
	return p
}

// cutSegment cuts a canonical selector at the dash before its field: the first
// one outside parentheses, for conditions may hold dashes.
func cutSegment(s string) (segment, field string) {
	i := outside(s, '-')
	if i < 0 {
		return s, ""
	}
	return s[:i], s[i+1:]
}

// cutConditions splits ID(a=b&c=d)... into ID and its conditions.
func cutConditions(s string) (base string, conds []string) {
	i := strings.IndexByte(s, '(')
	if i < 0 {
		base, _, _ = strings.Cut(s, ".")
		return base, nil
	}
	base, s = s[:i], s[i+1:]
	if !strings.Contains(s, "=") || s[0] == '#' || s[0] == '*' {
		return base, nil
	}
	for {
		i := outside(s, '&')
		end := outside(s, ')')
		if i < 0 || end < i {
			return base, append(conds, s[:end])
		}
		conds = append(conds, s[:i])
		s = s[i+1:]
	}
}

// outside is the index of the first c that stands neither in quotes nor within
// parentheses opened in s; -1 if there is none.
func outside(s string, c byte) int {
	depth, quoted := 0, false
	for i := 0; i < len(s); i++ {
		switch x := s[i]; {
		case quoted && x == '\\':
			i++
		case x == '"':
			quoted = !quoted
		case quoted:
		case x == c && depth == 0:
			return i
		case x == '(':
			depth++
		case x == ')':
			depth--
		}
	}
	return -1
}

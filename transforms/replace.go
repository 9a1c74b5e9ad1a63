package transforms

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spine-engine/spine-engine/internal/message"
)

// ReplaceSpec is the step as a feed writes it, with exactly one of text and pattern:
//
//	replace: { at: PID-13.1, text: " ext ", by: "x" }
//	replace: { at: "OBX(*)-5", pattern: "([0-9]+),([0-9]+)", by: "$1.$2", all: true }
type ReplaceSpec struct {
	At      []message.Selector
	Text    string // as it stands
	Pattern string // RE2, at most 1000 characters
	By      string // with a pattern $1 or ${1} is what its first group matched, $$ a dollar
	All     bool   // every match, not the first only
}

// Replace replaces text within values. Absent, empty and null values are left
// alone; a value that becomes empty is empty.
type Replace struct {
	at      []message.Selector
	text    string
	pattern *regexp.Regexp
	by      string
	most    int // matches; -1 for all
}

// Limits of replace: what a pattern may have, what it may find in one value, and
// what one value may become.
const (
	maxPattern  = 1000
	maxBy       = 1000
	maxMatches  = 100_000
	maxReplaced = 16 << 20
)

// NewReplace makes the step. The error is a *SpecError.
func NewReplace(s ReplaceSpec) (*Replace, error) {
	if err := needsTarget(s.At); err != nil {
		return nil, err
	}
	r := &Replace{at: s.At, text: s.Text, by: s.By, most: 1}
	if s.All {
		r.most = -1
	}
	switch {
	case s.Text == "" && s.Pattern == "":
		return nil, &SpecError{Key: "text", Text: "the step does not say what to replace", Hint: "write text: or pattern:"}
	case s.Text != "" && s.Pattern != "":
		return nil, &SpecError{Key: "pattern", Text: "it stands beside text", Hint: "keep one of the two"}
	case len(s.By) > maxBy:
		return nil, &SpecError{Key: "by", Text: fmt.Sprintf("it is longer than %d characters", maxBy)}
	case s.Text != "":
		return r, nil
	}
	var err error
	if r.pattern, err = compilePattern("pattern", s.Pattern); err != nil {
		return nil, err
	}
	return r, checkReferences(s.By, r.pattern)
}

// compilePattern compiles a pattern of bounded length.
func compilePattern(key, text string) (*regexp.Regexp, error) {
	if len(text) > maxPattern {
		return nil, &SpecError{Key: key, Text: fmt.Sprintf("the pattern is longer than %d characters", maxPattern)}
	}
	re, err := regexp.Compile(text)
	if err != nil {
		return nil, &SpecError{Key: key, Text: strings.TrimPrefix(err.Error(), "error parsing regexp: "), Hint: "patterns are RE2: no look-around, no back references"}
	}
	return re, nil
}

// compileWhole compiles a pattern, known to be good, to match a whole value.
func compileWhole(text string) (*regexp.Regexp, error) {
	re, err := regexp.Compile(`\A(?:` + text + `)\z`)
	if err != nil {
		return nil, &SpecError{Key: "pattern", Text: strings.TrimPrefix(err.Error(), "error parsing regexp: ")}
	}
	return re, nil
}

// reference is $$, $name or ${name}; $1x is a group named 1x, which surprises.
var reference = regexp.MustCompile(`\$(?:\$|(\w+)|\{(\w+)\})?`)

// checkReferences refuses what would silently become nothing.
func checkReferences(by string, re *regexp.Regexp) error {
	for _, m := range reference.FindAllStringSubmatch(by, -1) {
		name := m[1] + m[2]
		switch n, err := strconv.Atoi(name); {
		case m[0] == "$$":
		case m[0] == "$":
			return &SpecError{Key: "by", Text: "a $ alone", Hint: "write $$ for a dollar"}
		case err == nil && n <= re.NumSubexp(), err != nil && slices.Contains(re.SubexpNames(), name):
		default:
			return &SpecError{Key: "by", Text: fmt.Sprintf("the pattern has no group %q", name),
				Hint: fmt.Sprintf("it has %d; write ${1}x where text follows", re.NumSubexp())}
		}
	}
	return nil
}

// Apply replaces within every value that is there.
func (r *Replace) Apply(in *Input) error {
	return eachValue(in.Doc, "replace", r.at, func(at message.Selector, text string) error {
		out, err := r.replace(text)
		switch {
		case err != nil:
			return fmt.Errorf("the value at %s: %w", at, err)
		case out == text:
			return nil
		}
		return put(in.Doc, at, out)
	})
}

func (r *Replace) replace(text string) (string, error) {
	if r.pattern != nil {
		return r.matches(text)
	}
	n := strings.Count(text, r.text)
	if r.most > 0 {
		n = min(n, r.most)
	}
	if len(text)+n*len(r.by) > maxReplaced {
		return "", errReplaced
	}
	return strings.Replace(text, r.text, r.by, r.most), nil
}

var errReplaced = fmt.Errorf("replace would make more than %d bytes of it", maxReplaced)

// matches replaces what the pattern finds.
func (r *Replace) matches(text string) (string, error) {
	most := r.most
	if most < 0 {
		most = maxMatches + 1
	}
	found := r.pattern.FindAllStringSubmatchIndex(text, most)
	if len(found) > maxMatches {
		return "", fmt.Errorf("replace finds its pattern more than %d times", maxMatches)
	}
	var out []byte
	at := 0
	for _, m := range found {
		out = append(out, text[at:m[0]]...)
		out = r.pattern.ExpandString(out, r.by, text, m)
		if at = m[1]; len(out) > maxReplaced {
			return "", errReplaced
		}
	}
	return string(append(out, text[at:]...)), nil
}

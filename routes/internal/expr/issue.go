package expr

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"unicode"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common"
	"cel.dev/cel-go/common/ast"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/conf"
)

// Issue is one fault of an expression. Line counts from 1, Column (characters
// into that line) from 0.
type Issue struct {
	Line, Column int
	Text, Hint   string
}

func (r *rewriter) fault(x ast.Expr, offset int, hint, format string, args ...any) {
	at := r.info.GetStartLocation(x.ID())
	r.issues = append(r.issues, issueAt(at, offset, hint, fmt.Sprintf(format, args...)))
}

func issueAt(at common.Location, offset int, hint, text string) Issue {
	return Issue{Line: max(at.Line(), 1), Column: max(at.Column(), 0) + offset, Text: text, Hint: hint}
}

type fault struct {
	Offset     int
	Text, Hint string
}

// detailed is what errors of selectors other than HL7's offer.
type detailed interface {
	Detail() (offset int, text, hint string)
}

func selectorFault(err error) fault {
	var d detailed
	if errors.As(err, &d) {
		at, text, hint := d.Detail()
		return fault{at, text, hint}
	}
	var pe *hl7.PathError
	if errors.As(err, &pe) {
		return fault{pe.Offset, pe.Text, pe.Hint}
	}
	return fault{Text: err.Error()}
}

func syntaxIssues(src string, iss *cel.Issues) []Issue {
	// What follows the first syntax error is mostly its consequence.
	e := iss.Errors()[0]
	text, hint := strings.TrimPrefix(e.Message, "Syntax error: "), ""
	switch {
	case strings.Contains(text, "<EOF>"):
		text, hint = "the expression ends too soon", `if it holds " #", quote it: YAML reads that as a comment`
	case singleEquals.MatchString(src):
		text, hint = "= does not compare", "write =="
	case strings.Contains(text, "expecting"):
		text, _, _ = strings.Cut(text, " expecting")
		text = "does not read as an expression: " + text
	default:
		text = "does not read as an expression: " + firstLine(text)
	}
	return []Issue{issueAt(e.Location, 0, hint, text)}
}

var singleEquals = regexp.MustCompile(`[^=!<>]=[^=]`)

func (e *Env) typeIssues(src string, iss *cel.Issues) []Issue {
	var out []Issue
	for _, ce := range iss.Errors() {
		text, hint := e.friendly(ce.Message, owner(src, ce.Location))
		offset := 0
		if noField.MatchString(ce.Message) {
			offset = 1 // the place is that of the dot
		}
		out = append(out, issueAt(ce.Location, offset, hint, text))
	}
	return out
}

var (
	undeclared = regexp.MustCompile(`undeclared reference to '([^']*)'`)
	noField    = regexp.MustCompile(`undefined field '([^']*)'`)
	noOverload = regexp.MustCompile(`found no matching overload for '([^']*)' applied to '([^']*)'`)
)

// owner is the name before the dot at a place of the expression, "" for none.
func owner(src string, at common.Location) string {
	lines := strings.Split(src, "\n")
	if n := at.Line(); n < 1 || n > len(lines) {
		return ""
	}
	line := []rune(lines[at.Line()-1])
	before := string(line[:min(max(at.Column(), 0), len(line))])
	return before[strings.LastIndexFunc(before, func(r rune) bool { return r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) })+1:]
}

// friendly puts the checker's words into the language of feeds; of is the name
// before the dot where the fault is.
func (e *Env) friendly(msg, of string) (text, hint string) {
	if m := undeclared.FindStringSubmatch(msg); m != nil {
		return fmt.Sprintf("%q is not known here", m[1]), e.otherName(m[1])
	}
	if m := noField.FindStringSubmatch(msg); m != nil {
		return e.unknownField(m[1], of)
	}
	if m := noOverload.FindStringSubmatch(msg); m != nil {
		return fmt.Sprintf("%s does not work on %s", operatorName(m[1]), friendlyTypes(m[2])), overloadHint(m[1], m[2])
	}
	return firstLine(msg), ""
}

// otherName suggests what may be meant by a name that is not known.
func (e *Env) otherName(name string) string {
	switch name {
	case "timestamp", "getFullYear", "getMonth", "getDate", "getDayOfMonth", "getDayOfWeek", "getDayOfYear", "getHours", "getMinutes", "getSeconds":
		return `dates are read with date(...): date(now).inZone("Europe/London").hour()`
	}
	known := slices.Concat(reserved, functionNames())
	for _, it := range e.items {
		known = append(known, it.name)
	}
	return suggest(name, known)
}

// unknownField suggests among what the name before the dot has.
func (e *Env) unknownField(name, of string) (text, hint string) {
	typ := map[string]*cel.Type{"vars": varsType, "meta": metaType, "part": partType, "msg": msgType, "orig": msgType}[of]
	if typ == nil {
		return fmt.Sprintf("there is no %q here", name), ""
	}
	known := slices.Sorted(maps.Keys(e.fields[typ.TypeName()]))
	hint = suggest(name, known)
	switch {
	case hint != "":
	case of == "vars" && len(known) == 0:
		hint = "name values under let:"
	case len(known) <= 12:
		hint = "known here: " + strings.Join(known, ", ")
	}
	return fmt.Sprintf("there is no %s.%s", of, name), hint
}

func overloadHint(op, args string) string {
	switch {
	case op == "_==_" && strings.Contains(args, "list("):
		return `write "x" in msg.list(...), or msg.list(...).exists(x, x == "...")`
	case strings.Contains(args, "spine.Date") && strings.ContainsAny(op, "<>"):
		return "write date.before(date) or date.after(date)"
	case strings.Contains(args, "string") && strings.Contains(args, "int") && strings.HasPrefix(op, "_"):
		return `values of a message are texts: write the number in quotes, or int(...)`
	}
	var shapes []string
	for _, f := range Functions() {
		if f.Name == op {
			shapes = append(shapes, f.Shape)
		}
	}
	if shapes == nil {
		return ""
	}
	return "write " + strings.Join(shapes, ", or ")
}

// unfit says when the result is not of the kind that the place takes.
func unfit(t *cel.Type, want Want) (Issue, bool) {
	k := kindOf(t)
	switch {
	case want == Bool && k != aBool:
		return Issue{Line: 1, Text: "this gives " + typeName(t) + " where a yes or no is wanted", Hint: `compare it: ... == "A01"`}, false
	case want == Text && k != aText && k != aNumber:
		return Issue{Line: 1, Text: "this gives " + typeName(t) + " where a text is wanted", Hint: "make it a text: " + asText(t)}, false
	}
	return Issue{}, true
}

// asText is how a value of another kind is written.
func asText(t *cel.Type) string {
	switch {
	case t.IsExactType(dateType), t.IsExactType(cel.TimestampType):
		return `...format("hl7"), of a date(...)`
	case t.Kind() == cel.ListKind:
		return `...join(", ")`
	case strings.HasPrefix(t.TypeName(), "spine.Row."):
		return "name a column, as in ...get(code).name"
	}
	return "string(...)"
}

func operatorName(op string) string {
	op = strings.TrimPrefix(op, "@")
	if strings.ContainsAny(op, "_") && !strings.ContainsAny(strings.ReplaceAll(op, "_", ""), "abcdefghijklmnopqrstuvwxyz") {
		return strings.ReplaceAll(op, "_", "")
	}
	return op
}

// friendlyTypes puts CEL's names of types into words.
func friendlyTypes(args string) string {
	return strings.NewReplacer("spine.Message", "message", "spine.Date", "date", "spine.Table.", "table ", "spine.Row.", "row of table ",
		"spine.Vars", "vars", "spine.Meta", "meta", "spine.Part", "part", "list(string)", "list of texts", "string", "text", "bool", "yes-or-no",
		"int", "number", "double", "decimal", "google.protobuf.Timestamp", "time", "timestamp", "time", "google.protobuf.Duration", "duration").Replace(args)
}

func typeName(t *cel.Type) string { return "a " + friendlyTypes(t.String()) }

func suggest(s string, known []string) string {
	if k := conf.Suggest(s, known); k != "" {
		return fmt.Sprintf("did you mean %q?", k)
	}
	return ""
}

func firstLine(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	return s
}

func functionNames() []string {
	var names []string
	for _, f := range Functions() {
		names = append(names, f.Name)
	}
	return names
}

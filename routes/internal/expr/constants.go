package expr

import (
	"errors"
	"regexp"
	"regexp/syntax"
	"strings"
	"time"

	"cel.dev/cel-go/common/ast"

	"github.com/spine-engine/spine-engine/transforms/forms"
)

// fixed are the arguments that are written out, so that they can be checked and
// prepared before a message comes: by function, .f for members, then position.
func (r *rewriter) fixed(x ast.Expr, fn string, args []ast.Expr) {
	at, check := -1, (func(ast.Expr, string))(nil)
	switch fn {
	case ".matches":
		at, check = 0, r.pattern
	case "matches":
		at, check = 1, r.pattern
	case ".format":
		at, check = 0, r.dateForm
	case "parse_date", "is_date":
		at, check = 1, r.dateForm
	case ".truncate":
		at, check = 0, r.precision
	case ".inZone":
		at, check = 0, r.zone
	case "hmac", "shift_days":
		at, check = 0, r.secret
	}
	if at < 0 || at >= len(args) {
		return
	}
	if s, ok := literal(args[at]); ok {
		check(args[at], s)
		return
	}
	r.fault(args[at], 0, example(fn), "%s takes this written out, so that it can be checked", strings.TrimPrefix(fn, "."))
}

func example(fn string) string {
	switch fn {
	case ".matches", "matches":
		return `write .matches("^[0-9]{10}$")`
	case ".format", "parse_date", "is_date":
		return `write "hl7", "iso", "uk" or a layout such as "DD/MM/YYYY"`
	case ".truncate":
		return `write .truncate("day")`
	case ".inZone":
		return `write .inZone("Europe/London")`
	}
	return "write " + fn + `("research", ...) with the name of a secret`
}

func (r *rewriter) pattern(x ast.Expr, s string) {
	_, err := regexp.Compile(s)
	if err == nil {
		return
	}
	offset, text := 0, err.Error()
	var se *syntax.Error
	if errors.As(err, &se) {
		text = se.Code.String()
		if i := strings.LastIndex(s, se.Expr); i >= 0 && se.Expr != "" {
			offset = within(s, i)
		}
	}
	r.fault(x, offset, `RE2 syntax; "\\." stands for a dot`, "the pattern cannot be read: %s", text)
}

func (r *rewriter) dateForm(x ast.Expr, s string) {
	f, err := forms.NewDateForm(s)
	if err == nil {
		r.env.forms[s] = f
		return
	}
	offset := 0
	var le *forms.LayoutError
	if errors.As(err, &le) {
		offset = within(s, le.Offset)
	}
	hint := suggest(s, forms.DateFormNames())
	if hint == "" {
		hint = `write "hl7", "iso", "uk" or a layout such as "DD/MM/YYYY[ HH:mm]"`
	}
	r.fault(x, offset, hint, "%q is no form of dates: %v", s, err)
}

func (r *rewriter) precision(x ast.Expr, s string) {
	if _, ok := forms.ParsePrecision(s); !ok {
		r.fault(x, 0, "write one of "+strings.Join(forms.PrecisionNames(), ", "), "%q is no precision", s)
	}
}

// zone loads the zone's data now, so that none is read while messages come.
func (r *rewriter) zone(x ast.Expr, s string) {
	if _, ok := r.env.zones[s]; ok {
		return
	}
	loc, err := time.LoadLocation(s)
	if err != nil || s == "" || s == "Local" {
		r.fault(x, 0, `write the name of a zone, such as "Europe/London" or "UTC"`, "time zone %q is not known", s)
		return
	}
	r.env.zones[s] = loc
}

func (r *rewriter) secret(x ast.Expr, name string) {
	var value string
	var ok bool
	var known []string
	if r.env.options.Secret != nil {
		value, ok, known = r.env.options.Secret(name)
	}
	switch {
	case !ok:
		hint := suggest(name, known)
		if hint == "" {
			hint = "declare it under secrets in spine.yaml"
		}
		r.fault(x, 0, hint, "there is no secret %q", name)
	case value == "":
		r.fault(x, 0, "", "the secret %q is empty", name)
	default:
		r.env.secrets[name] = []byte(value)
	}
}

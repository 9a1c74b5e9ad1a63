package schema

import (
	"fmt"
	"slices"
	"strings"
)

func (s *section) write(b *strings.Builder) {
	fmt.Fprintf(b, "\n## %s\n%s\n", s.Title, s.Doc)
	if places := s.places(); places != "" {
		fmt.Fprintf(b, "\nStands at %s.\n", places)
	}
	if rules := s.exclusive(); rules != "" {
		fmt.Fprintf(b, "\n%s\n", rules)
	}
	b.WriteString("\n| key | takes | is | default | without it |\n|---|---|---|---|---|\n")
	for _, row := range s.rows() {
		b.WriteString(row)
	}
	if later := s.later(); later != "" {
		fmt.Fprintf(b, "\nNot in this version: %s.\n", later)
	}
}

// places shows where the mapping stands; not more than a few, for steps and tests
// stand everywhere.
func (s *section) places() string {
	const most = 4
	var out []string
	for _, at := range s.at[:min(len(s.at), most)] {
		if !strings.HasSuffix(at, ".yaml") {
			out = append(out, "`"+strings.Replace(at, ".yaml.", ".yaml: ", 1)+"`")
		}
	}
	if len(s.at) > most {
		out = append(out, "and elsewhere")
	}
	return strings.Join(out, ", ")
}

func (s *section) exclusive() string {
	var out []string
	for _, o := range s.Options {
		if o.Kind == Struct && o.By != "" {
			out = append(out, "`"+o.By+"`")
		}
	}
	if len(out) > 1 {
		return "One of " + strings.Join(out, ", ") + "; it says which of the other keys there are."
	}
	return ""
}

// rows gives a line for each key; of mappings told apart by a key, for each key
// once, with the mappings that have it.
func (s *section) rows() []string {
	var out []string
	if s.Kind != Pick {
		for i := range s.Fields {
			out = append(out, row(&s.Fields[i], "")...)
		}
		if s.Rest != nil {
			out = append(out, fmt.Sprintf("| %s | %s | %s | | |\n", s.Rest.Shape.Key.named(), kindOf(s.Rest.Shape.Item), cell(s.Rest.Doc)))
		}
		return out
	}
	seen := map[string]bool{}
	for _, o := range s.Options {
		if o.Kind == Dict {
			out = append(out, fmt.Sprintf("| %s | %s | a part | | |\n", o.Key.named(), kindOf(o.Item)))
		}
		for i := range o.Fields {
			f := &o.Fields[i]
			sign := f.Key + kindOf(f.Shape)
			if f.Refused == "" && !seen[sign] {
				seen[sign] = true
				out = append(out, row(f, s.having(f))...)
			}
		}
	}
	return out
}

// having names the mappings of a Pick that have a key, unless all have.
func (s *section) having(f *Field) string {
	var with []string
	for _, o := range s.Options {
		for i := range o.Fields {
			if x := &o.Fields[i]; x.Key == f.Key && kindOf(x.Shape) == kindOf(f.Shape) && x.Key != o.By {
				with = append(with, "`"+o.By+"`")
			}
		}
	}
	if len(with) == 0 || len(with) == len(s.Options) {
		return ""
	}
	return "with " + strings.Join(with, ", ") + ": "
}

func row(f *Field, of string) []string {
	if f.Refused != "" {
		return nil
	}
	doc := docOf(f)
	if f.Doc == "" {
		doc, _, _ = strings.Cut(doc, ": ") // of a step: its shape stands on its own page
	}
	def, without := f.Default, ""
	if def != "" {
		def = "`" + def + "`"
		if strings.Contains(f.Default, " ") || f.Shape.Kind == List {
			def = f.Default
		}
	}
	if f.Missing != "" {
		without = f.Missing
	}
	return []string{fmt.Sprintf("| `%s` | %s | %s%s | %s | %s |\n", f.Key, cell(kindOf(f.Shape)), of, cell(doc), cell(def), cell(without))}
}

// kindOf shows what may stand at a place.
func kindOf(s *Shape) string {
	switch {
	case s.Kind == Plain:
		return s.named()
	case s.Kind == List:
		return "list: " + kindOf(s.Item)
	case s.Kind == Dict:
		return fmt.Sprintf("%s: %s", nameIn(s.Key), kindOf(s.Item))
	case s.Title != "":
		return fmt.Sprintf("[%s](#%s)", s.Title, anchor(s.Title))
	case s.Kind == Forms:
		var out []string
		for _, o := range s.Options {
			out = append(out, kindOf(o))
		}
		return strings.Join(out, ", or ")
	case s.Kind == Pick:
		var out []string
		for _, o := range s.Options {
			out = append(out, kindOf(o))
		}
		return strings.Join(out, ", ")
	}
	return ""
}

// named shows a scalar.
func (s *Shape) named() string {
	if s.Words != nil {
		return "`" + strings.Join(s.Words, "`, `") + "`"
	}
	return s.Says
}

func (s *section) later() string {
	var out []string
	add := func(fields []Field) {
		for _, f := range fields {
			if k := "`" + f.Key + "`"; f.Refused == "yet" && !slices.Contains(out, k) {
				out = append(out, k)
			}
		}
	}
	add(s.Fields)
	for _, o := range s.Options {
		add(o.Fields)
	}
	return strings.Join(out, ", ")
}

// cell is a text within a table.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

// anchor is how the heading is linked to.
func anchor(title string) string {
	var b strings.Builder
	for _, c := range strings.ToLower(title) {
		switch {
		case c >= 'a' && c <= 'z', c >= '0' && c <= '9', c == '-', c == '_':
			b.WriteRune(c)
		case c == ' ':
			b.WriteByte('-')
		}
	}
	return b.String()
}

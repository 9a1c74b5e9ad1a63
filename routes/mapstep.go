package routes

import (
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
)

// mapStep reads { at, table, from, put, unmapped }.
func (f *feed) mapStep(n *conf.Node) transforms.Step {
	m := n.Map("map step", "at", "table", "from", "put", "unmapped", "if_none")
	for _, k := range []string{"at", "table", "unmapped"} {
		if n.IsMap() && m[k] == nil {
			n.Errorf("write { at: PID-8, table: sex, unmapped: keep }", "the map step has no %s", k)
		}
	}
	s := &transforms.Map{IfNone: readIfNone(m["if_none"])}
	if m["at"].Present() {
		s.At = f.settable(m["at"], m["at"].Source())
	}
	if f.unmapped(s, m["unmapped"]); !m["table"].Present() {
		return s
	}
	s.Table = f.tableOf(m["table"])
	if s.Table != nil { // else its own problem is known
		f.columns(s, n, m)
	}
	return s
}

// columns decides which column goes where.
func (f *feed) columns(s *transforms.Map, n *conf.Node, m map[string]*conf.Node) {
	column := func(c *conf.Node) int {
		i := s.Table.Column(c.Text())
		if i < 0 {
			c.Errorf(hint(c.Text(), s.Table.Columns), "table %q has no column %q", s.Table.Name, c.Text())
		}
		return i
	}
	switch {
	case m["from"].Present():
		s.Column = column(m["from"])
	case m["put"].Present():
		s.Column = -1
	case len(s.Table.Columns) == 1:
		s.Column = 0
	default:
		n.Errorf("add from: COLUMN", "table %q has several columns", s.Table.Name)
	}
	if m["put"].Present() && s.At != nil && s.At.IsList() {
		m["put"].Errorf("name one place", "put cannot stand with a list")
	}
	for _, p := range m["put"].Fields() {
		if at := f.settable(p.Name, p.Key); at != nil {
			s.Put = append(s.Put, transforms.Put{At: at, Column: column(p.Node)})
		}
	}
}

func (f *feed) unmapped(s *transforms.Map, n *conf.Node) {
	if n.IsMap() {
		m := n.Map("unmapped", "default")
		if d := m["default"]; d.Present() {
			s.Unmapped, s.Default = transforms.DefaultUnmapped, d.Text()
		} else if len(n.Fields()) == 0 { // else the unknown key is told
			n.Errorf(`write { default: "9" }, keep, hold or reject`, "what becomes of a code that the table lacks is not declared")
		}
		return
	}
	switch n.OneOf("hold", "keep", "hold", "reject") {
	case "keep":
		s.Unmapped = transforms.KeepUnmapped
	case "reject":
		s.Unmapped = transforms.RejectUnmapped
		at := ""
		if s.At != nil {
			at = s.At.String()
		}
		s.Reply = message.Reply{Code: "AE", Text: "unknown code", Errors: []message.ReplyError{{Location: at, Code: "103", Text: "unknown code", Severity: "E"}}}
	}
}

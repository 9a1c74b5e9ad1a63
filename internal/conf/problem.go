package conf

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// Severity of a problem.
type Severity uint8

// An Error keeps the project from running; a Warning does not.
const (
	Error Severity = iota
	Warning
)

func (s Severity) String() string {
	if s == Warning {
		return "warning"
	}
	return "error"
}

// MarshalText makes severities readable in JSON.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// Problem is one fault of a project: where, what, and how to mend it.
type Problem struct {
	File     string   `json:"file"`
	Line     int      `json:"line"`   // from 1; 0 = the file as a whole
	Column   int      `json:"column"` // from 1
	Severity Severity `json:"severity"`
	Text     string   `json:"text"`
	Hint     string   `json:"hint,omitempty"`
}

// String is file:line:column: text; hint.
func (p Problem) String() string {
	var b strings.Builder
	b.WriteString(p.File)
	if p.Line > 0 {
		fmt.Fprintf(&b, ":%d:%d", p.Line, p.Column)
	}
	b.WriteString(": ")
	if p.Severity == Warning {
		b.WriteString("warning: ")
	}
	b.WriteString(p.Text)
	if p.Hint != "" {
		b.WriteString("; " + p.Hint)
	}
	return b.String()
}

// Problems collects faults. The zero value is ready.
type Problems struct {
	list  []Problem
	traps map[position]bool // nodes that YAML reads otherwise than people do
}

type position struct {
	file         string
	line, column int
}

func (n *Node) at() position { return position{n.File, n.y.Line, n.y.Column} }

func (ps *Problems) trap(n *Node) {
	if ps.traps == nil {
		ps.traps = map[position]bool{}
	}
	ps.traps[n.at()] = true
}

func (ps *Problems) trapped(n *Node) bool { return ps.traps[n.at()] }

// Add records a fault.
func (ps *Problems) Add(p Problem) { ps.list = append(ps.list, p) }

// Sorted gives all faults by file, line and column, each once.
func (ps *Problems) Sorted() []Problem {
	out := slices.Clone(ps.list)
	slices.SortStableFunc(out, func(a, b Problem) int {
		return cmp.Or(cmp.Compare(a.File, b.File), cmp.Compare(a.Line, b.Line),
			cmp.Compare(a.Column, b.Column), cmp.Compare(a.Text, b.Text))
	})
	return slices.Compact(out)
}

// Failed reports whether any fault keeps the project from running.
func (ps *Problems) Failed() bool {
	return slices.ContainsFunc(ps.list, func(p Problem) bool { return p.Severity == Error })
}

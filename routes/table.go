package routes

import (
	"encoding/csv"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms"
)

// maxRows bounds a table; beyond it a lookup belongs into a store of its own.
const maxRows = 1_000_000

// table reads one entry of a feed's tables: rows written out, or a CSV file.
func (l *loader) table(f conf.Field) *transforms.Table {
	if !checkName(f.Name, "table", f.Key) {
		return nil
	}
	m := f.Node.Map("table", "rows", "csv", "key", "from", "refresh")
	notYet(m, "from", "refresh")
	switch {
	case !f.Node.IsMap():
	case m["rows"] != nil && m["csv"] != nil:
		m["csv"].Errorf("keep one of the two", "a table has either rows or a csv file")
	case m["rows"] == nil && m["csv"] == nil:
		f.Node.Errorf("write rows: {...} or csv: tables/NAME.csv", "the table has neither rows nor a csv file")
	case m["rows"] != nil:
		if m["key"] != nil {
			m["key"].Errorf("leave it out", "rows are already written by key")
		}
		return inlineTable(f.Key, m["rows"])
	default:
		return l.csvTable(f.Key, m["csv"], m["key"])
	}
	return nil
}

// inlineTable reads rows: { "M": "1" }, or with columns { "300": { code: G, name: general } },
// or a list [A, B] of codes that stand for themselves.
func inlineTable(name string, rows *conf.Node) *transforms.Table {
	if rows.IsList() {
		return codeList(name, rows)
	}
	fields := rows.Fields()
	if len(fields) == 0 {
		if rows.IsMap() {
			rows.Errorf("write rows: { M: \"1\" }, or a list of codes", "the table has no rows")
		}
		return nil
	}
	var columns []string
	for _, c := range mapFields(fields[0].Node) {
		columns = append(columns, c.Key)
	}
	t := transforms.NewTable(name, columns...)
	for _, r := range fields {
		if row, ok := inlineRow(r, columns); ok {
			if err := t.Add(r.Key, row); err != nil {
				r.Name.Errorf("", "table %q: %v", name, err)
			}
			t.Locate(r.Key, r.Name.Place())
		}
	}
	return t
}

// codeList is a table that only says which codes there are.
func codeList(name string, rows *conf.Node) *transforms.Table {
	t := transforms.NewTable(name)
	for _, r := range rows.Items() {
		key := r.Text()
		if err := t.Add(key, []string{key}); err != nil {
			r.Errorf("", "table %q: %v", name, err)
		}
		t.Locate(key, r.Place())
	}
	return t
}

func mapFields(n *conf.Node) []conf.Field {
	if !n.IsMap() {
		return nil
	}
	return n.Fields()
}

func inlineRow(r conf.Field, columns []string) ([]string, bool) {
	if len(columns) == 0 {
		return []string{r.Node.Text()}, true
	}
	m := r.Node.Map("row", columns...)
	row := make([]string, len(columns))
	for i, c := range columns {
		if m[c] == nil {
			r.Node.Errorf(`write "" for an empty one`, "the row has no %q, which the first row has", c)
			return nil, false
		}
		row[i] = m[c].Text()
	}
	return row, true
}

// csvTable reads a file with a header line. Problems in it stand at its own lines.
func (l *loader) csvTable(name string, file, key *conf.Node) *transforms.Table {
	path := file.Text()
	data, err := l.read(path)
	if err != nil {
		file.Errorf("a path from the project folder, such as tables/specialty.csv", "table file %q: %v", path, err)
		return nil
	}
	if key == nil {
		file.Errorf("add key: COLUMN", "which column holds the codes is not declared")
		return nil
	}
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(string(data), "\ufeff")))
	r.ReuseRecord = false
	header, err := r.Read()
	if err != nil {
		l.csvProblem(path, err)
		return nil
	}
	for i := range header {
		header[i] = strings.TrimSpace(header[i])
	}
	k := slices.Index(header, key.Text())
	if k < 0 {
		key.Errorf(hint(key.Text(), header), "%s has no column %q", path, key.Text())
		return nil
	}
	if !l.headerFit(path, header) {
		return nil
	}
	return l.csvRows(transforms.NewTable(name, slices.Delete(slices.Clone(header), k, k+1)...), path, r, k)
}

func (l *loader) headerFit(path string, header []string) bool {
	text, hint := "", ""
	switch {
	case slices.Contains(header, ""):
		text, hint = "has a column without a name", "name every column in the first line"
	case len(slices.Compact(slices.Sorted(slices.Values(header)))) < len(header):
		text, hint = "has two columns of one name", "rename one"
	default:
		return true
	}
	l.problems.Add(Problem{File: path, Line: 1, Column: 1, Text: text, Hint: hint})
	return false
}

func (l *loader) csvRows(t *transforms.Table, path string, r *csv.Reader, key int) *transforms.Table {
	for {
		rec, err := r.Read()
		if errors.Is(err, io.EOF) {
			return t
		}
		if err != nil {
			l.csvProblem(path, err)
			return nil
		}
		line, column := r.FieldPos(key)
		row := slices.Delete(slices.Clone(rec), key, key+1)
		if len(rec) == 1 { // a list of codes, which stand for themselves
			row = []string{rec[0]}
		}
		if err := t.Add(rec[key], row); err != nil {
			l.problems.Add(Problem{File: path, Line: line, Column: column, Text: err.Error()})
			return nil
		}
		t.Locate(rec[key], message.Place{File: path, Line: line})
		if t.Len() > maxRows {
			l.problems.Add(Problem{File: path, Line: line, Column: column, Text: "has more than a million rows"})
			return nil
		}
	}
}

func (l *loader) csvProblem(path string, err error) {
	p := Problem{File: path, Line: 1, Column: 1, Text: err.Error()}
	var pe *csv.ParseError
	switch {
	case errors.As(err, &pe):
		p.Line, p.Column, p.Text = pe.Line, max(pe.Column, 1), pe.Err.Error()
		p.Hint = "a text in quotes ends with a quote; a quote within it is written twice"
		if errors.Is(err, csv.ErrFieldCount) {
			p.Text, p.Hint = "the row has more or fewer values than the first line has names", "quote texts that hold commas"
		}
	case errors.Is(err, io.EOF):
		p.Text, p.Hint = "the file is empty", "begin with a line that names the columns"
	}
	l.problems.Add(p)
}

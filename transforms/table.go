package transforms

import (
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Table is a code table: rows of columns by key. It is read-only once in use.
type Table struct {
	Name    string
	Columns []string // without the key; one column named "" for a plain list of key and value
	rows    map[string][]string
	places  map[string]message.Place
}

// Errors of Add.
var (
	errDuplicateKey = errors.New("stands here twice")
	errColumns      = errors.New("wrong number of columns")
)

// NewTable makes an empty table. No columns mean one without a name.
func NewTable(name string, columns ...string) *Table {
	if len(columns) == 0 {
		columns = []string{""}
	}
	return &Table{Name: name, Columns: columns, rows: map[string][]string{}, places: map[string]message.Place{}}
}

// Plain reports whether a key has just one value without a name.
func (t *Table) Plain() bool { return len(t.Columns) == 1 && t.Columns[0] == "" }

// Len is the number of rows.
func (t *Table) Len() int { return len(t.rows) }

// Add adds a row; each key may stand once.
func (t *Table) Add(key string, row []string) error {
	if len(row) != len(t.Columns) {
		return fmt.Errorf("%w: %d where the table has %d", errColumns, len(row), len(t.Columns))
	}
	if _, dup := t.rows[key]; dup {
		return fmt.Errorf("key %q %w; a code needs one meaning", key, errDuplicateKey)
	}
	t.rows[key] = row
	return nil
}

// Locate says where the row of a key is written.
func (t *Table) Locate(key string, at message.Place) { t.places[key] = at }

// Place is where the row of a key is written.
func (t *Table) Place(key string) message.Place { return t.places[key] }

// Keys gives all keys, sorted.
func (t *Table) Keys() []string { return slices.Sorted(maps.Keys(t.rows)) }

// Column is the index of a column within a row, -1 if there is none of that name.
func (t *Table) Column(name string) int { return slices.Index(t.Columns, name) }

// Get gives the row of a key, in the order of Columns.
func (t *Table) Get(key string) ([]string, bool) {
	row, ok := t.rows[key]
	return row, ok
}

package expr

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/spine-engine/spine-engine/transforms"
)

// tableVal is a code table.
type tableVal struct {
	opaque
	table  *transforms.Table
	row    *cel.Type
	absent Fault // of a code that is not there
}

func (t *tableVal) Equal(o ref.Val) ref.Val { return types.Bool(any(t) == any(o)) }
func (t *tableVal) Value() any              { return t }

// rowVal is a row of a table with columns.
type rowVal struct {
	opaque
	row []string
}

func (r *rowVal) Equal(o ref.Val) ref.Val { return types.Bool(any(r) == any(o)) }
func (r *rowVal) Value() any              { return r }

func tableType(name string) *cel.Type { return cel.ObjectType("spine.Table." + name) }
func rowType(name string) *cel.Type   { return cel.ObjectType("spine.Row." + name) }

// tableVar is the name of the variable that stands for table("name"); no
// expression can spell it.
func tableVar(name string) string { return "@table:" + name }

// declareTable gives each table types of its own, so that its columns are
// checked. A table without any column is a set of codes: it has .has alone.
func (e *Env) declareTable(t *transforms.Table) []cel.EnvOption {
	typ, row := tableType(t.Name), cel.StringType
	if !t.Plain() {
		row = rowType(t.Name)
		columns := map[string]*types.FieldType{}
		for i, c := range t.Columns {
			columns[c] = field(cel.StringType, func(v any) (any, error) { return types.String(v.(*rowVal).row[i]), nil })
		}
		e.fields[row.TypeName()] = columns
	}
	e.tables[tableVar(t.Name)] = &tableVal{opaque: opaque{typ}, table: t, row: row,
		absent: Fault("the code is not in table " + t.Name + "; ask .has(code) first")}
	member := func(name, id string, args []*cel.Type, result *cel.Type, bind func(...ref.Val) ref.Val) cel.EnvOption {
		return cel.Function(name, cel.MemberOverload(id+t.Name, append([]*cel.Type{typ}, args...), result, cel.FunctionBinding(bind)))
	}
	key := []*cel.Type{cel.StringType}
	opts := []cel.EnvOption{cel.Variable(tableVar(t.Name), typ), member("has", tableHasID, key, cel.BoolType, tableHas)}
	if len(t.Columns) > 0 {
		opts = append(opts, member("get", tableGetID, key, row, tableGet))
	}
	if t.Plain() {
		opts = append(opts, member("get", tableGetOrID, []*cel.Type{cel.StringType, cel.StringType}, cel.StringType, tableGetDefault))
	}
	return opts
}

// The ids of the overloads of tables begin so; the table's name follows.
const (
	tableHasID   = "table_has:"
	tableGetID   = "table_get:"
	tableGetOrID = "table_get_or:"
)

// tableOfRow is the table that rows of that type belong to, nil when it is no row.
func (e *Env) tableOfRow(t *cel.Type) *tableVal {
	for _, tv := range e.tables {
		if !tv.table.Plain() && t.IsExactType(tv.row) {
			return tv
		}
	}
	return nil
}

func (t *tableVal) lookup(key string) ([]string, error) {
	row, ok := t.table.Get(key)
	if !ok {
		return nil, t.absent
	}
	return row, nil
}

func tableHas(args ...ref.Val) ref.Val {
	_, ok := args[0].(*tableVal).table.Get(text(args[1]))
	return types.Bool(ok)
}

func tableGet(args ...ref.Val) ref.Val {
	t := args[0].(*tableVal)
	row, err := t.lookup(text(args[1]))
	switch {
	case err != nil:
		return types.WrapErr(err)
	case t.table.Plain():
		return types.String(row[0])
	}
	return &rowVal{opaque: opaque{t.row}, row: row}
}

func tableGetDefault(args ...ref.Val) ref.Val {
	if row, ok := args[0].(*tableVal).table.Get(text(args[1])); ok {
		return types.String(row[0])
	}
	return args[2]
}

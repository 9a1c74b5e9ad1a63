package expr

import (
	"slices"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Fault is an error whose text holds no content of a message and may be shown.
type Fault string

func (f Fault) Error() string { return string(f) }

func failed(text string) ref.Val { return types.WrapErr(Fault(text)) }

// maxText bounds what a function may build; a message can make no text grow beyond it.
const maxText = 16 << 20

func functions() []cel.EnvOption {
	str, num, list := cel.StringType, cel.IntType, cel.ListType(cel.StringType)
	member := func(name, id string, args []*cel.Type, result *cel.Type, bind func(...ref.Val) ref.Val) cel.EnvOption {
		return cel.Function(name, cel.MemberOverload(id, args, result, cel.FunctionBinding(bind)))
	}
	texts := func(n int) []*cel.Type {
		return append([]*cel.Type{str}, []*cel.Type{str, str, str}[:n]...)
	}
	k, v := cel.TypeParamType("K"), cel.TypeParamType("V")
	return []cel.EnvOption{
		cel.Function("_[_]", cel.Overload("msg_index", []*cel.Type{msgType, num}, str)),
		cel.Function("has", cel.MemberOverload("msg_has", []*cel.Type{msgType, num}, cel.BoolType, cel.BinaryBinding(msgHas))),
		cel.Function("is_null", cel.MemberOverload("msg_is_null", []*cel.Type{msgType, num}, cel.BoolType, cel.BinaryBinding(msgIsNull))),
		cel.Function(itemIndex, cel.MemberOverload("msg_item_index", []*cel.Type{msgType, num}, num, cel.BinaryBinding(msgItemIndex))),
		cel.Function("list", cel.MemberOverload("msg_list", []*cel.Type{msgType, num}, list, cel.BinaryBinding(msgList))),
		member("get", "map_get_default", []*cel.Type{cel.MapType(k, v), k, v}, v, mapGet),
		member("trim", "text_trim", texts(0), str, onText(strings.TrimSpace)),
		member("upperAscii", "text_upper", texts(0), str, onText(upperASCII)),
		member("lowerAscii", "text_lower", texts(0), str, onText(lowerASCII)),
		member("replace", "text_replace", texts(2), str, replaceText),
		member("substring", "text_substring_from", []*cel.Type{str, num}, str, substring),
		member("substring", "text_substring", []*cel.Type{str, num, num}, str, substring),
		member("indexOf", "text_index", texts(1), num, indexOf),
		member("padLeft", "text_pad_left", []*cel.Type{str, num, str}, str, padLeft),
		member("split", "text_split", texts(1), list, splitText),
		member("join", "list_join", []*cel.Type{list}, str, joinTexts),
		member("join", "list_join_with", []*cel.Type{list, str}, str, joinTexts),
	}
}

func functionNames() []string {
	return []string{"has", "is_null", "list", "get", "trim", "upperAscii", "lowerAscii", "replace", "substring",
		"indexOf", "padLeft", "split", "join", "matches", "startsWith", "endsWith", "contains", "size", "string", "int"}
}

// itemIndex is what obx.index becomes; no expression can spell it.
const itemIndex = "@index"

func msgItemIndex(m, slot ref.Val) ref.Val {
	return types.Int(m.(*docVal).index(int(slot.(types.Int))))
}

func msgHas(m, sel ref.Val) ref.Val {
	d := m.(*docVal)
	return types.Bool(hasValue(d.doc, d.selector(sel)))
}

// hasValue: a real value is there; absent, empty and null are none. Of a list,
// one is enough.
func hasValue(d message.Doc, s message.Selector) bool {
	if d.Text(s) != "" {
		return true
	}
	return s.IsList() && slices.ContainsFunc(d.List(s), func(t string) bool { return t != "" })
}

func msgIsNull(m, sel ref.Val) ref.Val {
	d := m.(*docVal)
	return types.Bool(d.doc.Presence(d.selector(sel)) == message.Null)
}

func msgList(m, sel ref.Val) ref.Val {
	d := m.(*docVal)
	return types.NewStringList(types.DefaultTypeAdapter, d.doc.List(d.selector(sel)))
}

func tableHas(t, key ref.Val) ref.Val {
	_, ok := t.(*tableVal).table.Get(string(key.(types.String)))
	return types.Bool(ok)
}

func tableGet(tv, key ref.Val) ref.Val {
	t := tv.(*tableVal)
	row, ok := t.table.Get(string(key.(types.String)))
	switch {
	case !ok:
		return failed("the code is not in table " + t.table.Name + "; ask .has(code) first")
	case t.table.Plain():
		return types.String(row[0])
	}
	return &rowVal{opaque: opaque{t.row}, row: row}
}

func tableGetDefault(args ...ref.Val) ref.Val {
	if row, ok := args[0].(*tableVal).table.Get(string(args[1].(types.String))); ok {
		return types.String(row[0])
	}
	return args[2]
}

func mapGet(args ...ref.Val) ref.Val {
	if v, ok := args[0].(traits.Mapper).Find(args[1]); ok {
		return v
	}
	return args[2]
}

func onText(f func(string) string) func(...ref.Val) ref.Val {
	return func(args ...ref.Val) ref.Val { return types.String(f(string(args[0].(types.String)))) }
}

func text(v ref.Val) string { return string(v.(types.String)) }

func upperASCII(s string) string { return mapASCII(s, 'a', 'z') }
func lowerASCII(s string) string { return mapASCII(s, 'A', 'Z') }

// mapASCII swaps the case of the ASCII letters from..to.
func mapASCII(s string, from, to byte) string {
	for i := 0; i < len(s); i++ {
		if s[i] < from || s[i] > to {
			continue
		}
		b := []byte(s)
		for ; i < len(b); i++ {
			if b[i] >= from && b[i] <= to {
				b[i] ^= 0x20
			}
		}
		return string(b)
	}
	return s
}

func replaceText(args ...ref.Val) ref.Val {
	s, from, to := text(args[0]), text(args[1]), text(args[2])
	if from == "" {
		return failed("replace: the text to look for is empty")
	}
	if n := strings.Count(s, from); len(s)+n*(len(to)-len(from)) > maxText {
		return failed("replace: the result is longer than 16 MiB")
	}
	return types.String(strings.ReplaceAll(s, from, to))
}

// substring counts characters from 0; bounds beyond the text mean its end.
func substring(args ...ref.Val) ref.Val {
	s, from, to := text(args[0]), int64(args[1].(types.Int)), int64(1<<62)
	if len(args) == 3 {
		to = int64(args[2].(types.Int))
	}
	if from < 0 || to < from {
		return failed("substring: it must begin at 0 or later and not end before it begins")
	}
	return types.String(s[runeOffset(s, from):runeOffset(s, to)])
}

func runeOffset(s string, n int64) int {
	if n >= int64(len(s)) {
		return len(s)
	}
	for i := range s {
		if n == 0 {
			return i
		}
		n--
	}
	return len(s)
}

func indexOf(args ...ref.Val) ref.Val {
	s := text(args[0])
	i := strings.Index(s, text(args[1]))
	if i > 0 {
		i = utf8.RuneCountInString(s[:i])
	}
	return types.Int(i)
}

func padLeft(args ...ref.Val) ref.Val {
	s, width, pad := text(args[0]), int(args[1].(types.Int)), text(args[2])
	if utf8.RuneCountInString(pad) != 1 || width > 1000 {
		return failed("padLeft: one character, and a width up to 1000")
	}
	if n := utf8.RuneCountInString(s); n < width {
		return types.String(strings.Repeat(pad, width-n) + s)
	}
	return args[0]
}

func splitText(args ...ref.Val) ref.Val {
	if text(args[1]) == "" {
		return failed("split: the separator is empty")
	}
	return types.NewStringList(types.DefaultTypeAdapter, strings.Split(text(args[0]), text(args[1])))
}

func joinTexts(args ...ref.Val) ref.Val {
	sep := ""
	if len(args) == 2 {
		sep = text(args[1])
	}
	var b strings.Builder
	first := true
	for it := args[0].(traits.Lister).Iterator(); it.HasNext() == types.True; {
		s, ok := it.Next().(types.String)
		if !ok {
			return failed("join: an element is no text")
		}
		if !first {
			b.WriteString(sep)
		}
		first = false
		b.WriteString(string(s))
		if b.Len() > maxText {
			return failed("join: the result is longer than 16 MiB")
		}
	}
	return types.String(b.String())
}

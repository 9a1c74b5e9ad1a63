package expr

import (
	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"

	"github.com/spine-engine/spine-engine/internal/message"
)

// itemIndex is what obx.index becomes; no expression can spell it.
const itemIndex = "@index"

// functions are those whose arguments are not just texts and numbers.
func functions() []cel.EnvOption {
	str, num, list := cel.StringType, cel.IntType, cel.ListType(cel.StringType)
	k, v := cel.TypeParamType("K"), cel.TypeParamType("V")
	onMsg := func(name, id string, result *cel.Type, bind func(m, arg ref.Val) ref.Val) cel.EnvOption {
		return cel.Function(name, cel.MemberOverload(id, []*cel.Type{msgType, num}, result, cel.BinaryBinding(bind)))
	}
	member := func(name, id string, args []*cel.Type, result *cel.Type, bind func(...ref.Val) ref.Val) cel.EnvOption {
		return cel.Function(name, cel.MemberOverload(id, args, result, cel.FunctionBinding(bind)))
	}
	return []cel.EnvOption{
		cel.Function("_[_]", cel.Overload("msg_index", []*cel.Type{msgType, num}, str)),
		onMsg("has", "msg_has", cel.BoolType, msgHas),
		onMsg("is_null", "msg_is_null", cel.BoolType, msgIsNull),
		onMsg("list", "msg_list", list, msgList),
		onMsg(itemIndex, "msg_item_index", num, msgItemIndex),
		member("get", "map_get_default", []*cel.Type{cel.MapType(k, v), k, v}, v, mapGet),
		member("split", "text_split", []*cel.Type{str, str}, list, splitText),
	}
}

func failed(text string) ref.Val { return types.WrapErr(Fault(text)) }

func msgItemIndex(m, slot ref.Val) ref.Val {
	return types.Int(m.(*docVal).index(int(slot.(types.Int))))
}

func msgHas(m, sel ref.Val) ref.Val {
	return types.Bool(m.(*docVal).has(int(sel.(types.Int))))
}

func msgIsNull(m, sel ref.Val) ref.Val {
	d := m.(*docVal)
	return types.Bool(d.doc.Presence(d.selector(sel)) == message.Null)
}

func msgList(m, sel ref.Val) ref.Val {
	d := m.(*docVal)
	return types.NewStringList(types.DefaultTypeAdapter, d.doc.List(d.selector(sel)))
}

func mapGet(args ...ref.Val) ref.Val {
	if v, ok := args[0].(traits.Mapper).Find(args[1]); ok {
		return v
	}
	return args[2]
}

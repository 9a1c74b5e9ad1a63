package expr

import (
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/common/types/traits"
)

// Bounds of what a function may build; a message can make nothing grow beyond them.
const (
	maxText  = 16 << 20
	maxParts = 100_000
	maxWidth = 1000
)

const joinTooLong = Fault("join: the result is longer than 16 MiB")

// textDefs are the functions over texts.
func textDefs() []def {
	return []def{
		member("trim", "text_trim", fTT(strings.TrimSpace)),
		member("upper", "text_upper", fTT(strings.ToUpper)),
		member("lower", "text_lower", fTT(strings.ToLower)),
		member("upperAscii", "text_upper_ascii", fTT(upperASCII)),
		member("lowerAscii", "text_lower_ascii", fTT(lowerASCII)),
		member("replace", "text_replace", fTTTTe(replaceText)),
		member("substring", "text_substring_from", fTNTe(func(s string, from int64) (string, error) { return substring(s, from, 1<<62) })),
		member("substring", "text_substring", fTNNTe(substring)),
		member("indexOf", "text_index", fTTN(indexOf)),
		member("padLeft", "text_pad_left", fTNTTe(func(s string, width int64, with string) (string, error) {
			fill, err := padding("padLeft", s, width, with)
			return fill + s, err
		})),
		member("padRight", "text_pad_right", fTNTTe(func(s string, width int64, with string) (string, error) {
			fill, err := padding("padRight", s, width, with)
			return s + fill, err
		})),
		member("join", "list_join", joinDef(cel.ListType(cel.StringType))),
		member("join", "list_join_with", joinDef(cel.ListType(cel.StringType), cel.StringType)),
	}
}

func joinDef(args ...*cel.Type) def {
	return def{args: args, result: cel.StringType, call: joinTexts, native: func(a []node) node {
		list, with := a[0].list, textFn(func(*view) (string, error) { return "", nil })
		if len(a) == 2 {
			with = a[1].text
		}
		return node{text: func(v *view) (string, error) {
			l, err := list(v)
			if err != nil {
				return "", err
			}
			sep, err := with(v)
			if err != nil {
				return "", err
			}
			return joinStrings(l, sep)
		}}
	}}
}

func joinStrings(l []string, sep string) (string, error) {
	n := len(sep) * max(len(l)-1, 0)
	for _, s := range l {
		n += len(s)
	}
	if n > maxText {
		return "", joinTooLong
	}
	return strings.Join(l, sep), nil
}

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

func replaceText(s, from, to string) (string, error) {
	if from == "" {
		return "", Fault("replace: the text to look for is empty")
	}
	if n := strings.Count(s, from); len(s)+n*(len(to)-len(from)) > maxText {
		return "", Fault("replace: the result is longer than 16 MiB")
	}
	return strings.ReplaceAll(s, from, to), nil
}

// substring counts characters from 0; bounds beyond the text mean its end.
func substring(s string, from, to int64) (string, error) {
	if from < 0 || to < from {
		return "", Fault("substring: it must begin at 0 or later and not end before it begins")
	}
	return s[runeOffset(s, from):runeOffset(s, to)], nil
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

func indexOf(s, what string) int64 {
	i := strings.Index(s, what)
	if i > 0 {
		i = utf8.RuneCountInString(s[:i])
	}
	return int64(i)
}

// padding is what s lacks to be width characters long.
func padding(fn, s string, width int64, with string) (string, error) {
	if utf8.RuneCountInString(with) != 1 || width > maxWidth {
		return "", Fault(fn + ": one character, and a width up to 1000")
	}
	if n := int64(utf8.RuneCountInString(s)); n < width {
		return strings.Repeat(with, int(width-n)), nil
	}
	return "", nil
}

func splitText(args ...ref.Val) ref.Val {
	s, sep := text(args[0]), text(args[1])
	switch {
	case sep == "":
		return failed("split: the separator is empty")
	case s == "":
		return types.NewStringList(types.DefaultTypeAdapter, nil)
	case strings.Count(s, sep) >= maxParts:
		return failed("split: more than 100000 parts")
	}
	return types.NewStringList(types.DefaultTypeAdapter, strings.Split(s, sep))
}

func joinTexts(args ...ref.Val) ref.Val {
	sep := ""
	if len(args) == 2 {
		sep = text(args[1])
	}
	var l []string
	for it := args[0].(traits.Lister).Iterator(); it.HasNext() == types.True; {
		s, ok := it.Next().(types.String)
		if !ok {
			return failed("join: an element is no text")
		}
		l = append(l, string(s))
	}
	return textOr(joinStrings(l, sep))
}

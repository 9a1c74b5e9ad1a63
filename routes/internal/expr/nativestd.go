package expr

import (
	"math"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"

	"cel.dev/cel-go/common/overloads"
)

// standard are CEL's own functions.
func standard(id string, a []node) (node, bool) {
	switch id {
	case overloads.StartsWithString:
		return texts(a[0].text, a[1].text, strings.HasPrefix)
	case overloads.EndsWithString:
		return texts(a[0].text, a[1].text, strings.HasSuffix)
	case overloads.ContainsString:
		return texts(a[0].text, a[1].text, strings.Contains)
	case overloads.MatchesString:
		return matches(a[0].text, a[1].fixed)
	case overloads.LessString:
		return texts(a[0].text, a[1].text, func(s, t string) bool { return s < t })
	case overloads.LessEqualsString:
		return texts(a[0].text, a[1].text, func(s, t string) bool { return s <= t })
	case overloads.GreaterString:
		return texts(a[0].text, a[1].text, func(s, t string) bool { return s > t })
	case overloads.GreaterEqualsString:
		return texts(a[0].text, a[1].text, func(s, t string) bool { return s >= t })
	case overloads.AddString:
		return join(a[0].text, a[1].text), true
	case overloads.SizeString, overloads.SizeStringInst:
		return size(a[0].text), true
	case overloads.SizeList, overloads.SizeListInst:
		return length(a[0].list)
	case overloads.IntToString:
		return written(a[0].number), true
	case overloads.StringToInt:
		return parsed(a[0].text), true
	case overloads.StringToString, overloads.IntToInt:
		return a[0], true
	}
	return arithmetic(id, a)
}

func arithmetic(id string, a []node) (node, bool) {
	switch id {
	case overloads.LessInt64:
		return numbers(a[0].number, a[1].number, func(i, j int64) bool { return i < j }), true
	case overloads.LessEqualsInt64:
		return numbers(a[0].number, a[1].number, func(i, j int64) bool { return i <= j }), true
	case overloads.GreaterInt64:
		return numbers(a[0].number, a[1].number, func(i, j int64) bool { return i > j }), true
	case overloads.GreaterEqualsInt64:
		return numbers(a[0].number, a[1].number, func(i, j int64) bool { return i >= j }), true
	case overloads.AddInt64:
		return sum(a[0].number, a[1].number, 1), true
	case overloads.SubtractInt64:
		return sum(a[0].number, a[1].number, -1), true
	}
	return node{}, false
}

const (
	tooLarge = Fault("a number is too large")
	noForm   = Fault("a value has not the form that the conversion needs")
)

func sum(x, y numberFn, sign int64) node {
	return node{number: func(v *view) (int64, error) {
		i, err := x(v)
		if err != nil {
			return 0, err
		}
		j, err := y(v)
		if err != nil {
			return 0, err
		}
		if sign < 0 {
			if (j < 0 && i > math.MaxInt64+j) || (j > 0 && i < math.MinInt64+j) {
				return 0, tooLarge
			}
			return i - j, nil
		}
		if (j > 0 && i > math.MaxInt64-j) || (j < 0 && i < math.MinInt64-j) {
			return 0, tooLarge
		}
		return i + j, nil
	}}
}

func matches(x textFn, pattern *string) (node, bool) {
	if pattern == nil {
		return node{}, false
	}
	re, err := regexp.Compile(*pattern)
	if err != nil {
		return node{}, false
	}
	return node{yes: func(v *view) (bool, error) {
		s, err := x(v)
		return err == nil && re.MatchString(s), err
	}}, true
}

func join(x, y textFn) node {
	return node{text: func(v *view) (string, error) {
		s, t, err := two(v, x, y)
		if err != nil {
			return "", err
		}
		return s + t, nil
	}}
}

func size(x textFn) node {
	return node{number: func(v *view) (int64, error) {
		s, err := x(v)
		return int64(utf8.RuneCountInString(s)), err
	}}
}

func length(x listFn) (node, bool) {
	return node{number: func(v *view) (int64, error) {
		l, err := x(v)
		return int64(len(l)), err
	}}, x != nil
}

func written(x numberFn) node {
	return node{text: func(v *view) (string, error) {
		n, err := x(v)
		if err != nil {
			return "", err
		}
		return strconv.FormatInt(n, 10), nil
	}}
}

func parsed(x textFn) node {
	return node{number: func(v *view) (int64, error) {
		s, err := x(v)
		if err != nil {
			return 0, err
		}
		n, err := strconv.ParseInt(s, 10, 64)
		if err != nil {
			return 0, noForm
		}
		return n, nil
	}}
}

package expr

import (
	"errors"
	"strings"
)

// Fault is an error whose text holds no content of a message and may be shown.
type Fault string

func (f Fault) Error() string { return string(f) }

// safe turns an error of evaluation into one that can be shown: CEL's own texts
// quote the values they failed on, which may be a patient's.
func safe(err error) error {
	if err == nil {
		return nil
	}
	var f Fault
	if errors.As(err, &f) {
		return f
	}
	text := strings.ToLower(err.Error())
	for _, k := range []struct{ has, says string }{
		{"cost limit", "the expression takes more work than its limit allows"},
		{"no such key", "a map has no such key; use .get(key, default)"},
		{"divi", "division by zero"},
		{"modulus by zero", "division by zero"},
		{"out of bounds", "an index is beyond the end of its list"},
		{"overflow", "a number is too large"},
		{"conver", "a value has not the form that the conversion needs"},
		{"parsing", "a value has not the form that the conversion needs"},
	} {
		if strings.Contains(text, k.has) {
			return Fault(k.says)
		}
	}
	return Fault("the expression cannot be evaluated on this message")
}

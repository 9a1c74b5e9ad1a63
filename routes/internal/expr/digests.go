package expr

import (
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"unicode/utf8"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"

	"github.com/spine-engine/spine-engine/transforms/forms"
)

// formDefs are the questions about forms of values.
func formDefs() []def {
	return []def{
		global("nhs_number_valid", "text_nhs_number_valid", fTB(func(s string) bool { _, ok := forms.NHSNumber(s); return ok })),
		global("ods_code_form", "text_ods_code_form", fTB(forms.ODSCode)),
		global("base64_encode", "text_base64_encode", fTTe(encode64)),
		global("base64_decode", "text_base64_decode", fTTe(decode64)),
	}
}

// digestDefs make values out of others that cannot be turned back. None takes an
// empty text: all whose value is absent would get one and the same.
func (e *Env) digestDefs() []def {
	str, num := cel.StringType, cel.IntType
	return []def{
		global("sha256", "text_sha256", fTTe(func(s string) (string, error) {
			if s == "" {
				return "", emptyInput("sha256")
			}
			sum := sha256.Sum256([]byte(s))
			return hex.EncodeToString(sum[:]), nil
		})),
		global("uuid", "text_uuid", fTTe(uuid)),
		global("hmac", "text_hmac", fTTTe(func(secret, s string) (string, error) {
			if s == "" {
				return "", emptyInput("hmac")
			}
			return hex.EncodeToString(keyed(e.secrets[secret], s)), nil
		})),
		global("shift_days", "text_shift_days", def{args: []*cel.Type{str, str, num}, result: num, call: func(a ...ref.Val) ref.Val {
			n, err := shiftDays(e.secrets[text(a[0])], text(a[1]), number(a[2]))
			if err != nil {
				return types.WrapErr(err)
			}
			return types.Int(n)
		}}),
	}
}

const emptyHint = "the text is empty, and all that are would get the same; ask msg.has(...) first"

func emptyInput(fn string) error { return Fault(fn + ": " + emptyHint) }

func keyed(key []byte, s string) []byte {
	h := hmac.New(sha256.New, key)
	h.Write([]byte(s))
	return h.Sum(nil)
}

// shiftDays is a number of days from -most to most, never 0, that is always the
// same for a key and cannot be told without the secret. A digest of its own
// purpose, so that the pseudonym of the same key says nothing about it.
func shiftDays(secret []byte, key string, most int64) (int64, error) {
	switch {
	case key == "":
		return 0, emptyInput("shift_days")
	case most < 1 || most > 3650:
		return 0, Fault("shift_days: the most days are 1 to 3650")
	}
	n := int64(binary.BigEndian.Uint64(keyed(secret, "days\x00"+key)) % uint64(2*most))
	if n < most {
		return n - most, nil
	}
	return n - most + 1, nil
}

// uuidSpace is the name space of our name-based UUIDs.
const uuidSpace = "\x7a\x1f\x0c\x52\x5d\x6e\x4b\x0a\x9b\x37\x2e\x84\xc1\x66\xd0\x13"

// uuid is a name-based UUID, version 5 (RFC 9562 clause 5.5): always the same for
// the same text.
func uuid(s string) (string, error) {
	if s == "" {
		return "", emptyInput("uuid")
	}
	sum := sha1.Sum([]byte(uuidSpace + s))
	u := sum[:16]
	u[6] = u[6]&0x0f | 0x50
	u[8] = u[8]&0x3f | 0x80
	h := hex.EncodeToString(u)
	return h[:8] + "-" + h[8:12] + "-" + h[12:16] + "-" + h[16:20] + "-" + h[20:], nil
}

func encode64(s string) (string, error) {
	if base64.StdEncoding.EncodedLen(len(s)) > maxText {
		return "", Fault("base64_encode: the result is longer than 16 MiB")
	}
	return base64.StdEncoding.EncodeToString([]byte(s)), nil
}

// decode64 tolerates line ends within the text, as the standard library does.
func decode64(s string) (string, error) {
	if len(s) > maxText {
		return "", Fault("base64_decode: the text is longer than 16 MiB")
	}
	b, err := base64.StdEncoding.DecodeString(s)
	switch {
	case err != nil:
		return "", Fault("base64_decode: the text is no base64")
	case !utf8.Valid(b):
		return "", Fault("base64_decode: what it holds is no text in UTF-8")
	}
	return string(b), nil
}

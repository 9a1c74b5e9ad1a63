package mailbox

import (
	"bytes"
	"errors"
	"fmt"
	"path"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/spine-engine/spine-engine/internal/message"
)

// maxName is the limit on file names in bytes, here and in mailboxes that are
// read. File systems allow 255; the rest is room for what the engine adds.
const maxName = 200

// checkName says which rule a file name breaks; never the name, which may hold
// what a person is called.
func checkName(name string) error {
	switch {
	case name == "":
		return errors.New("the file name is empty")
	case len(name) > maxName:
		return fmt.Errorf("the file name has %d bytes where %d are allowed", len(name), maxName)
	case !utf8.ValidString(name):
		return errors.New("the file name is not valid UTF-8")
	case name[0] == '.':
		return errors.New("the file name begins with a dot")
	case strings.ContainsAny(name, `/\`):
		return errors.New("the file name holds a path separator")
	case strings.ContainsFunc(name, unicode.IsControl):
		return errors.New("the file name holds a control character")
	}
	return nil
}

// looksXML tells XML from ER7 by its first character, after a byte order mark
// and white space; in UTF-16, zero bytes are passed over too.
func looksXML(b []byte) bool {
	for _, bom := range []string{"\xef\xbb\xbf", "\xff\xfe", "\xfe\xff"} {
		b = bytes.TrimPrefix(b, []byte(bom))
	}
	for _, c := range b {
		switch c {
		case 0, ' ', '\t', '\r', '\n':
		default:
			return c == '<'
		}
	}
	return false
}

// fileName gives the names a copy may have, best first: attempt 0 is the
// declared name, or the message id; later ones set it apart from files of that
// name, the last kind from every other copy.
//
//	x.hl7  x-<id>.hl7  x-<id>-<n>.hl7  x-<id>-<seq>.<n>.hl7  x-<id>-<seq>.<n>-2.hl7 ...
func fileName(d *message.Delivery, xml bool, attempt int) string {
	if d.Name == "" {
		ext := ".hl7"
		if xml {
			ext = ".xml"
		}
		return d.Message.String() + apart(d.Key, attempt) + ext
	}
	if attempt == 0 {
		return d.Name
	}
	ext := path.Ext(d.Name)
	return strings.TrimSuffix(d.Name, ext) + "-" + d.Message.String() + apart(d.Key, attempt-1) + ext
}

func apart(k message.Key, attempt int) string {
	switch attempt {
	case 0:
		return ""
	case 1:
		return fmt.Sprintf("-%d", k.N)
	case 2:
		return "-" + k.String()
	}
	return fmt.Sprintf("-%s-%d", k, attempt-1)
}

// maxAttempts bounds the search for a free name.
const maxAttempts = 1000

// recent remembers which copies were given their message's id as a name, so
// that a second copy of a message has another name even when the consumer has
// taken the first. It forgets the older half from time to time.
type recent struct{ young, old map[message.ID]message.Key }

const recentSize = 4096

func (r *recent) taken(id message.ID, k message.Key) bool {
	for _, m := range []map[message.ID]message.Key{r.young, r.old} {
		if first, ok := m[id]; ok {
			return first != k
		}
	}
	return false
}

func (r *recent) add(id message.ID, k message.Key) {
	if r.taken(id, k) {
		return
	}
	if r.young == nil || len(r.young) >= recentSize {
		r.young, r.old = map[message.ID]message.Key{}, r.young
	}
	r.young[id] = k
}

package mailbox

import (
	"bytes"
	"errors"
	"fmt"
	"hash/crc32"
	"strconv"
	"strings"

	"github.com/oklog/ulid/v2"

	"github.com/spine-engine/spine-engine/internal/message"
)

// A manifest is text, one line per copy in the order in which the files are
// shown, and a last line by which a torn one is known:
//
//	spine mailbox manifest 1
//	<seq>.<n> <message id> <bytes> "<file name>"
//	end <copies> <CRC-32C of all before this line, 8 hex digits>
//
// The copy of line i is written as <batch>.<i>.tmp, from 0. That file's absence
// is the proof that the copy was shown; see recover.go.
const (
	manifestHead = "spine mailbox manifest 1\n"
	endLine      = "end %d %08x\n"
	manifestExt  = ".manifest"
	tempExt      = ".tmp"
	withdrawnExt = ".not" // was a temporary file; its copy was not shown and is sent again
)

// batch is a manifest in memory.
type batch struct {
	id      string // a ULID; names the files of the batch
	entries []entry
	unasked int // delivered entries for which the engine has not asked yet; see outState.known
}

type entry struct {
	key  message.Key
	msg  message.ID
	size int64
	name string

	withdrawn bool // the file has the extension withdrawnExt now
}

func newBatch() *batch { return &batch{id: ulid.Make().String()} }

func (b *batch) manifest() string       { return b.id + manifestExt }
func (b *batch) temp(i int) string      { return b.id + "." + strconv.Itoa(i) + tempExt }
func (b *batch) withdrawn(i int) string { return b.id + "." + strconv.Itoa(i) + withdrawnExt }

func castagnoli(data []byte) uint32 {
	return crc32.Checksum(data, crc32.MakeTable(crc32.Castagnoli))
}

func (b *batch) encode() []byte {
	out := []byte(manifestHead)
	for _, e := range b.entries {
		out = fmt.Appendf(out, "%d.%d %s %d %q\n", e.key.Seq, e.key.N, e.msg, e.size, e.name)
	}
	return fmt.Appendf(out, endLine, len(b.entries), castagnoli(out))
}

// errTorn: the manifest was not written whole, so nothing of its batch was shown.
var errTorn = errors.New("the manifest is incomplete")

// decodeManifest is the inverse of encode. An error other than errTorn means
// that it is whole but not understood: written by another version.
func decodeManifest(id string, data []byte) (*batch, error) {
	cut := bytes.LastIndexByte(bytes.TrimSuffix(data, []byte("\n")), '\n') + 1
	var count int
	var sum uint32
	last := string(data[cut:])
	_, err := fmt.Sscanf(last, endLine, &count, &sum)
	if err != nil || castagnoli(data[:cut]) != sum || last != fmt.Sprintf(endLine, count, sum) {
		return nil, errTorn
	}
	body, ok := strings.CutPrefix(string(data[:cut]), manifestHead)
	if !ok {
		return nil, errors.New("the manifest was written by another version of the engine; start that version once to finish it")
	}
	b := &batch{id: id}
	for line := range strings.Lines(body) {
		e, ok := decodeEntry(strings.TrimSuffix(line, "\n"))
		if !ok {
			return nil, fmt.Errorf("line %d of the manifest is not understood", len(b.entries)+2)
		}
		b.entries = append(b.entries, e)
	}
	if len(b.entries) != count {
		return nil, fmt.Errorf("the manifest announces %d copies and lists %d", count, len(b.entries))
	}
	return b, nil
}

func decodeEntry(line string) (e entry, ok bool) {
	parts := strings.SplitN(line, " ", 4)
	if len(parts) != 4 {
		return e, false
	}
	_, keyErr := fmt.Sscanf(parts[0], "%d.%d", &e.key.Seq, &e.key.N)
	id, idErr := ulid.ParseStrict(parts[1])
	size, sizeErr := strconv.ParseInt(parts[2], 10, 64)
	name, nameErr := strconv.Unquote(parts[3])
	e.msg, e.size, e.name = id, size, name
	ok = keyErr == nil && idErr == nil && sizeErr == nil && nameErr == nil
	return e, ok && name != "" && !strings.ContainsAny(name, "/\x00")
}

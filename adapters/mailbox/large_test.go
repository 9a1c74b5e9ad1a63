package mailbox

import (
	"bufio"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"testing"

	"github.com/spine-engine/spine-engine/internal/message"
)

// A batch file of 100 MB passes through in memory that does not grow with it.
func TestLargeBatchStreams(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: a batch file of 100 MB")
	}
	dir := t.TempDir()
	messages := writeBatch(t, filepath.Join(dir, "x.bat"), 100<<20)
	s := openSource(t, dir, renamedRule)
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	var count int
	var most uint64
	accept := func(_ context.Context, env *message.Envelope) (message.Receipt, error) {
		if count++; count%20000 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			most = max(most, now.HeapAlloc)
		}
		if env.Index != count {
			t.Fatal("out of order")
		}
		return message.Receipt{Outcome: message.Routed}, nil
	}
	if _, err := s.pass(context.Background(), accept); err != nil {
		t.Fatal(err)
	}
	if count != messages {
		t.Errorf("%d of %d messages", count, messages)
	}
	if most > before.HeapAlloc+4<<20 {
		t.Errorf("%d bytes held while streaming", most-before.HeapAlloc)
	}
}

// writeBatch makes a batch of at least size bytes and says how many messages it holds.
func writeBatch(t *testing.T, path string, size int) (n int) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	w.WriteString("BHS|^~\\&|PAS\r")
	for written := 0; written < size; n++ {
		m, err := w.WriteString(hl7Message(strconv.Itoa(n)))
		if err != nil {
			t.Fatal(err)
		}
		written += m
	}
	w.WriteString("BTS|" + strconv.Itoa(n) + "\r")
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return n
}

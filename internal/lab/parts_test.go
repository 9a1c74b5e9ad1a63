package main

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/peer"
)

func TestSample(t *testing.T) {
	rows := []struct {
		name             string
		s                sample
		median, min, max float64
	}{
		{"none", nil, 0, 0, 0},
		{"one", sample{3}, 3, 3, 3},
		{"odd", sample{9, 1, 5}, 5, 1, 9},
		{"even", sample{4, 1, 2, 9}, 3, 1, 9},
	}
	for _, row := range rows {
		if row.s.median() != row.median || row.s.min() != row.min || row.s.max() != row.max {
			t.Errorf("%s: %s", row.name, row.s)
		}
	}
	if ratio(1, 0) != 0 {
		t.Error("a ratio to nothing must be 0, so that it never passes")
	}
}

func TestConsumerSeesWhatMustNotBe(t *testing.T) {
	rows := []struct {
		name   string
		files  map[string]string
		faults int
	}{
		{"nothing wrong", map[string]string{"a.hl7": "x", "b.hl7": "y"}, 0},
		{"empty", map[string]string{"a.hl7": ""}, 1},
		{"hidden", map[string]string{".a": "x"}, 1},
		{"temporary", map[string]string{"a.tmp": "x"}, 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.Mkdir(filepath.Join(dir, privateFolder), 0o700); err != nil {
				t.Fatal(err)
			}
			for name, text := range row.files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			seen := 0
			c := &consumer{dir: dir, see: func(string, []byte) { seen++ }}
			if n, err := c.sweep(); err != nil || n != len(row.files) || seen != n {
				t.Errorf("took %d, saw %d: %v", n, seen, err)
			}
			if len(c.faults) != row.faults {
				t.Errorf("faults %v, want %d", c.faults, row.faults)
			}
			if left, err := namesIn(dir); err != nil || len(left) != 1 {
				t.Errorf("left behind: %d, %v", len(left), err)
			}
		})
	}
}

func TestEdgesShowMessagesOfAnOldProject(t *testing.T) {
	rows := []struct {
		name        string
		values      []string
		from        int64
		early, back int
	}{
		{"as it should be", []string{"A", "A", "B"}, 2, 0, 0},
		{"late", []string{"A", "A", "B"}, 1, 1, 0},
		{"back again", []string{"B", "A", "B"}, 2, 0, 1},
	}
	for _, row := range rows {
		book := newLedger(generator{prefix: 'E'}, 1)
		for _, v := range row.values {
			book.conns[0] = append(book.conns[0], fate{value: v})
		}
		r := &reload{book: book, values: []string{"A", "B"}, marks: []mark{{value: 1, from: []int64{row.from}}}}
		if early, back := r.edges(); early != row.early || back != row.back {
			t.Errorf("%s: early %d, back %d", row.name, early, back)
		}
	}
}

func TestArrivals(t *testing.T) {
	g := generator{prefix: 'M', size: 600}
	a := &arrivals{}
	a.reset()
	for _, n := range []int{0, 1, 1, 3, 2} {
		a.see(g.body(0, n))
	}
	a.see(g.body(1, 0))
	if distinct, repeats, disorder := a.verdict(); distinct != 5 || repeats != 1 || disorder != 1 {
		t.Errorf("%d distinct, %d repeats, %d out of order", distinct, repeats, disorder)
	}
}

// The log floor must do what it is compared for: every body in the file, framed,
// before its acknowledgement.
func TestLogFloorKeepsWhatItAcknowledges(t *testing.T) {
	path := filepath.Join(t.TempDir(), "log")
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	queue := make(chan *floorEntry)
	done := make(chan struct{})
	go func() { floorWriter(file, queue); close(done) }()
	var wg sync.WaitGroup
	for i := range 50 {
		wg.Go(func() {
			e := &floorEntry{body: bytes.Repeat([]byte{byte(i)}, 10+i), done: make(chan error, 1)}
			queue <- e
			if err := <-e.done; err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	close(queue)
	<-done
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for len(data) > 0 {
		size := binary.LittleEndian.Uint32(data)
		body := data[8 : 8+size]
		if crc32.Checksum(body, crc32.MakeTable(crc32.Castagnoli)) != binary.LittleEndian.Uint32(data[4:]) {
			t.Fatal("a frame's checksum is wrong")
		}
		data = data[8+size:]
		n++
	}
	if n != 50 {
		t.Errorf("%d bodies in the file, want 50", n)
	}
}

func TestFileFloorWritesWholeFiles(t *testing.T) {
	dir := t.TempDir()
	f, err := newFileFloor(dir, 100)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := f.batch(0); n != floorBatch || err != nil {
		t.Fatal(n, err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	files := 0
	for _, e := range entries {
		if st, err := e.Info(); err == nil && st.Mode().IsRegular() && st.Size() == 100 {
			files++
		}
	}
	if files != floorBatch {
		t.Errorf("%d files of 100 bytes, want %d", files, floorBatch)
	}
}

// The cheap sender counts an acknowledgement only when it is AA and names the message.
func TestBlastCountsOnlyItsOwnAcknowledgements(t *testing.T) {
	rows := []struct {
		name           string
		code           string
		acked, refused int
	}{
		{"AA", "AA", 40, 0},
		{"AE", "AE", 0, 40},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			s := peer.NewServer("127.0.0.1:0", func(hl7.Header, []byte) hl7.Ack { return hl7.Ack{Code: row.code} })
			if err := s.Start(); err != nil {
				t.Fatal(err)
			}
			defer s.Stop()
			b := &blast{to: s.Address(), connections: 4, most: 40, size: 600, length: time.Hour}
			out, err := b.run()
			if err != nil || out.Acked != row.acked || out.Refused != row.refused || s.Count() != 40 {
				t.Errorf("acked %d, refused %d, arrived %d: %v", out.Acked, out.Refused, s.Count(), err)
			}
		})
	}
}

func TestCommandLine(t *testing.T) {
	rows := []struct {
		name string
		args []string
		code int
		want string
	}{
		{"nothing", nil, 2, "usage"},
		{"unknown name", []string{"nonsense"}, 2, `no experiment "nonsense"`},
		{"unknown flag", []string{"kill", "-nonsense"}, 2, "nonsense"},
		{"unknown way of taking", []string{"speed", "-take", "eat"}, 2, "write auto, move or remove"},
		{"stray argument", []string{"kill", "20"}, 2, "unexpected argument"},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			var errs strings.Builder
			if code := run(t.Context(), row.args, io.Discard, &errs); code != row.code || !strings.Contains(errs.String(), row.want) {
				t.Errorf("status %d, said %q", code, errs.String())
			}
		})
	}
	if len(choose("all")) != len(experiments()) || len(choose("kill,large")) != 2 || choose("kill,x") != nil {
		t.Error("names are chosen wrongly")
	}
}

func TestReportFailsPlainly(t *testing.T) {
	var out strings.Builder
	r := newReport(&out)
	r.section("s", "about")
	r.check(true, "one")
	r.check(false, "two is %d", 2)
	r.skip("three")
	if r.failed != 1 || r.checks != 2 || r.skips != 1 {
		t.Errorf("%d failed of %d, %d skipped", r.failed, r.checks, r.skips)
	}
	for _, want := range []string{"PASS  one", "FAIL  two is 2", "SKIP  three"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the report does not say %q", want)
		}
	}
	if !strings.Contains(r.markdown(), "- **FAIL** two is 2") {
		t.Error("the markdown hides a failure")
	}
}

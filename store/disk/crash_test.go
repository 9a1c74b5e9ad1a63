package disk

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/spine-engine/spine-engine/internal/message"
)

// childDir names, for a child process, the store it shall fill until it dies.
const childDir = "SPINE_TEST_CHILD_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		fillUntilKilled(dir)
		return
	}
	os.Exit(m.Run())
}

// fillUntilKilled appends from 16 goroutines and finishes every third copy. Only
// what the store has acknowledged is printed, each line in one write:
//
//	A <id> <seq> <sha256 of the body>
//	F <seq>
func fillUntilKilled(dir string) {
	s, err := Open(dir, Options{MinFree: -1, SegmentSize: 256 << 10, ViewEvery: 500})
	if err != nil {
		fmt.Println("E", err)
		os.Exit(1)
	}
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() {
			for i := 0; ; i++ {
				if err := oneMore(s, i); err != nil {
					fmt.Println("E", err)
					return
				}
			}
		})
	}
	wg.Wait()
}

func oneMore(s *Store, i int) error {
	d := testDecision(i)
	if i%20 == 0 {
		b, err := s.Spool(strings.NewReader(strings.Repeat("spooled", i%97)), 1<<20)
		if err != nil {
			return err
		}
		d.Envelope.Body, d.Deliveries[0].Body = b, b
	}
	rec, err := s.Append(ctx, d)
	if err != nil {
		return err
	}
	sum, err := d.Envelope.Body.Sum()
	if err != nil {
		return err
	}
	fmt.Printf("A %s %d %x\n", rec.ID, rec.Seq, sum)
	if i%3 != 0 {
		return nil
	}
	v := &d.Deliveries[0]
	err = s.Finish(ctx, []message.Finished{{Key: v.Key, Pos: v.Pos, Queue: v.Queue, Lane: v.Lane, State: message.Delivered, At: v.Queued}})
	if err == nil {
		fmt.Printf("F %d\n", rec.Seq)
	}
	return err
}

// acked is what a child was promised.
type acked struct {
	sums     map[message.ID]string
	ids      map[uint64]message.ID
	finished map[uint64]bool
}

func newAcked() *acked {
	return &acked{sums: map[message.ID]string{}, ids: map[uint64]message.ID{}, finished: map[uint64]bool{}}
}

// read takes the child's output in up to n lines; the last may be cut.
func (a *acked) read(t *testing.T, r *bufio.Reader, n int) {
	t.Helper()
	for ; n > 0; n-- {
		line, err := r.ReadString('\n')
		if err != nil {
			return
		}
		f := strings.Fields(line)
		switch f[0] {
		case "A":
			id, seq := a.parse(t, f)
			a.sums[id], a.ids[seq] = f[3], id
		case "F":
			seq, err := strconv.ParseUint(f[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			a.finished[seq] = true
		default:
			if !strings.Contains(line, "input/output error") && !strings.Contains(line, "the store has failed") {
				t.Fatalf("the child said: %s", line)
			}
		}
	}
}

func (a *acked) parse(t *testing.T, f []string) (message.ID, uint64) {
	t.Helper()
	var id message.ID
	seq, err := strconv.ParseUint(f[2], 10, 64)
	if err == nil {
		err = id.UnmarshalText([]byte(f[1]))
	}
	if err != nil {
		t.Fatal(err)
	}
	return id, seq
}

// check holds a reopened store against the promises.
func (a *acked) check(t *testing.T, s *Store) {
	t.Helper()
	pending := map[message.Key]bool{}
	var from message.Delivery
	for {
		ds, err := s.Pending("adt/lab", "1", from.Pos, from.Key, 500)
		if err != nil {
			t.Fatal(err)
		}
		if len(ds) == 0 {
			break
		}
		for _, d := range ds {
			pending[d.Key] = true
		}
		from = *ds[len(ds)-1]
	}
	for seq, id := range a.ids {
		rec, err := s.Get(id)
		if err != nil {
			t.Fatalf("an acknowledged message is lost: at %d of a log that ends at %d: %v", seq, s.log.end, err)
		}
		b, err := rec.Envelope.Body.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		if sum := sha256.Sum256(b); hex.EncodeToString(sum[:]) != a.sums[id] || rec.Seq != seq {
			t.Fatalf("message %s at %d came back as %d with other bytes", id, seq, rec.Seq)
		}
		if k := (message.Key{Seq: seq}); a.finished[seq] && pending[k] {
			t.Fatalf("copy %s is pending again after it was finished", k)
		} else if !a.finished[seq] && !pending[k] && rec.Copies[0].State == message.Queued {
			t.Fatalf("copy %s is queued and not pending", k)
		}
	}
	tot, err := s.Totals()
	if err != nil || tot.Copies[message.Queued] != len(pending) || tot.Messages[message.Routed] < len(a.ids) {
		t.Fatalf("totals %+v with %d pending and %d acknowledged, %v", tot, len(pending), len(a.ids), err)
	}
}

// runChild starts a child on dir and ends it by end after some of its promises.
// With late, what it promised until its death counts as well.
func (a *acked) runChild(t *testing.T, dir string, lines int, late bool, end func(*os.Process)) {
	t.Helper()
	c := exec.Command(os.Args[0])
	c.Env = append(os.Environ(), childDir+"="+dir)
	var stderr bytes.Buffer
	c.Stderr = &stderr
	out, err := c.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(out)
	a.read(t, r, lines)
	end(c.Process)
	if late {
		a.read(t, r, 1<<30)
	}
	c.Process.Kill()
	io.Copy(io.Discard, out)
	c.Wait() // killed: an error by design
	if t.Failed() || len(a.ids) == 0 {
		t.Fatalf("the child promised nothing: %s", stderr.String())
	}
}

// TestKill kills a process that fills a store, again and again. Whatever it was
// promised is there, byte for byte, and nothing finished comes back.
func TestKill(t *testing.T) {
	dir := t.TempDir()
	a := newAcked()
	cycles := 6
	if testing.Short() {
		cycles = 2
	}
	for i := range cycles {
		a.runChild(t, dir, 300+i*211, true, func(p *os.Process) { p.Kill() })
		s := open(t, dir, Options{SegmentSize: 256 << 10})
		a.check(t, s)
		if i%2 == 0 {
			s.Crash()
		} else if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d messages acknowledged and kept, %d finished", len(a.ids), len(a.finished))
}

// goingDown is the ioctl that shuts an ext4 file system down at once; 2 = without
// writing its journal, as a power cut would.
const goingDown, noLogFlush = 0x8004587d, uint32(2)

// TestPowerCut shuts the file system under a running child down, mounts it anew,
// and looks for every promise made before. Those made while it goes down do not
// count: the kernel may let a sync that runs at that moment return without an
// error though its journal was given up, which no power cut can do.
func TestPowerCut(t *testing.T) {
	if os.Getuid() != 0 || testing.Short() {
		t.Skip("skipped: cutting the power of a loop-mounted ext4 needs root and no -short")
	}
	image, mnt := filepath.Join(t.TempDir(), "disk.img"), t.TempDir()
	sh := func(name string, args ...string) error {
		out, err := exec.Command(name, args...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%s: %w: %s", name, err, out)
		}
		return nil
	}
	for _, c := range [][]string{{"truncate", "-s", "512M", image}, {"mkfs.ext4", "-q", "-F", image}, {"mount", "-o", "loop", image, mnt}} {
		if err := sh(c[0], c[1:]...); err != nil {
			t.Skipf("skipped: cutting the power of a loop-mounted ext4: %v", err)
		}
	}
	t.Cleanup(func() { unix.Unmount(mnt, unix.MNT_DETACH) })
	a := newAcked()
	dir := filepath.Join(mnt, "store")
	for i := range 5 {
		a.runChild(t, dir, 200+i*307, false, func(*os.Process) {
			f, err := os.Open(mnt)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			flag := noLogFlush
			if _, _, e := unix.Syscall(unix.SYS_IOCTL, f.Fd(), goingDown, uintptr(unsafe.Pointer(&flag))); e != 0 {
				t.Fatalf("shutting the file system down: %v", e)
			}
		})
		if err := sh("umount", mnt); err != nil {
			t.Fatal(err)
		}
		if err := sh("mount", "-o", "loop", image, mnt); err != nil {
			t.Fatal(err)
		}
		s := open(t, dir, Options{SegmentSize: 256 << 10})
		a.check(t, s)
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("%d messages acknowledged and kept over 5 power cuts", len(a.ids))
}

package mailbox

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/message"
)

// staged runs SendBatch with something happening between its steps.
func staged(t *testing.T, d *destination, ds []*message.Delivery, beforeAnnounce, beforeShow func()) ([]adapters.Result, func() error) {
	t.Helper()
	if err := d.begin(context.Background()); err != nil {
		t.Fatal(err)
	}
	defer d.end()
	s := d.take(ds)
	d.write(context.Background(), s)
	beforeAnnounce()
	d.announce(s)
	beforeShow()
	d.show(s)
	folder, box := d.folder, d.box
	return s.results(), func() error { return d.settle(folder, box, s) }
}

func nothing() {}

// immutable is the inode flag of chattr +i.
const immutable = 0x10

// freeze keeps names in a folder from being made and removed, also by root.
func freeze(t *testing.T, path string) (thaw func()) {
	t.Helper()
	set := func(on bool) error {
		fd, err := unix.Open(path, dirFlags, 0)
		if err != nil {
			return err
		}
		defer unix.Close(fd)
		flags, err := unix.IoctlGetInt(fd, unix.FS_IOC_GETFLAGS)
		if err != nil {
			return err
		}
		if flags &^= immutable; on {
			flags |= immutable
		}
		return unix.IoctlSetPointerInt(fd, unix.FS_IOC_SETFLAGS, flags)
	}
	if err := set(true); err != nil {
		t.Skip("skipped: folders cannot be made immutable here:", err)
	}
	t.Cleanup(func() { set(false) })
	return func() {
		if err := set(false); err != nil {
			t.Fatal(err)
		}
	}
}

func abc() []*message.Delivery {
	return []*message.Delivery{delivery(1, "a", "MSH|1"), delivery(2, "b", "MSH|2"), delivery(3, "c", "MSH|3")}
}

func TestMailboxThatRefusesNamesGetsThemLater(t *testing.T) {
	dir := t.TempDir()
	d := openDest(t, dir, nil)
	thaw := nothing
	results, settle := staged(t, d, abc(), nothing, func() { thaw = freeze(t, dir) })
	if n, err := written(t, results); n != 0 || !errors.Is(err, unix.EPERM) || adapters.IsPermanent(err) {
		t.Fatal(n, err)
	}
	if err := settle(); err != nil {
		t.Fatal(err)
	}
	thaw()
	if got := tree(t, dir); len(got) != 0 {
		t.Error("left over:", got)
	}
	mustSend(t, d, abc()...)
	if got := strings.Join(tree(t, dir), " "); got != "a b c" {
		t.Error(got)
	}
}

func TestFailureInTheMiddleIsSentAgainFromThere(t *testing.T) {
	for _, settled := range []bool{true, false} {
		dir := t.TempDir()
		d := openDest(t, dir, nil)
		results, settle := staged(t, d, abc(), nothing, func() {
			second, err := filepath.Glob(filepath.Join(dir, privateOut, "*.1.tmp"))
			if err != nil || len(second) != 1 || os.Remove(second[0]) != nil {
				t.Fatal(second, err)
			}
		})
		if n, err := written(t, results); n != 1 || err == nil {
			t.Fatal(n, err)
		}
		if settled {
			if err := settle(); err != nil {
				t.Fatal(err)
			}
		} else { // killed before the engine recorded anything
			d.Close()
			d = openDest(t, dir, nil)
			if diff := cmp.Diff([]message.Key{{Seq: 1}}, recoverKeys(t, d)); diff != "" {
				t.Error(diff)
			}
		}
		mustSend(t, d, abc()[1:]...)
		if got := strings.Join(tree(t, dir), " "); got != "a b c" {
			t.Error(got)
		}
	}
}

func TestBatchInDoubtIsEndedBeforeTheNext(t *testing.T) {
	for _, row := range []struct {
		name  string
		shown int
		thaws bool // in this process; otherwise it is killed
	}{
		{"nothing shown", 0, true}, {"one shown", 1, true}, {"killed, nothing shown", 0, false}, {"killed, one shown", 1, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			d := openDest(t, dir, nil)
			settle, thaw := leaveInDoubt(t, d, row.shown)
			results, _ := d.SendBatch(context.Background(), abc()[:1])
			if n, err := written(t, results); n != 0 || err == nil || !strings.Contains(err.Error(), "earlier batch") {
				t.Fatal(n, err)
			}
			if err := settle(); err != nil {
				t.Fatal(err)
			}
			thaw()
			if !row.thaws {
				d.Close()
				d = openDest(t, dir, nil)
				if keys := recoverKeys(t, d); len(keys) != 3 {
					t.Fatal(keys) // nothing could be withdrawn, so recovery shows them all
				}
			} else {
				mustSend(t, d, abc()...)
			}
			if got := strings.Join(tree(t, dir), " "); got != "a b c" {
				t.Error(got)
			}
			if len(d.box.out.known) != 0 || len(d.box.out.unsettled) != 0 {
				t.Error("remembered for ever:", len(d.box.out.known), len(d.box.out.unsettled))
			}
		})
	}
}

// leaveInDoubt has the disk refuse everything after the first copies were shown.
func leaveInDoubt(t *testing.T, d *destination, shown int) (settle func() error, thaw func()) {
	t.Helper()
	var thaws []func()
	freezeBoth := func() { thaws = append(thaws, freeze(t, d.path), freeze(t, filepath.Join(d.path, privateOut))) }
	if err := d.begin(context.Background()); err != nil {
		t.Fatal(err)
	}
	defer d.end()
	s := d.take(abc())
	d.write(context.Background(), s)
	d.announce(s)
	if shown > 0 {
		if n, err := d.moveAll(s.batch, s.fresh()[:shown]); n != shown || err != nil {
			t.Fatal(n, err)
		}
		freezeBoth()
		if err := d.conclude(s.batch, shown); err == nil {
			t.Fatal("concluded on a frozen disk")
		}
		d.box.out.doubt = &doubt{batch: s.batch, announced: true, copies: shown}
	} else {
		freezeBoth()
		d.show(s)
	}
	folder, box := d.folder, d.box
	return func() error { return d.settle(folder, box, s) }, func() {
		for _, f := range thaws {
			f()
		}
	}
}

func TestManifestThatCannotBeWrittenShowsNothing(t *testing.T) {
	dir := t.TempDir()
	d := openDest(t, dir, nil)
	thaw := nothing
	results, settle := staged(t, d, abc(), func() { thaw = freeze(t, filepath.Join(dir, privateOut)) }, nothing)
	if n, err := written(t, results); n != 0 || err == nil {
		t.Fatal(n, err)
	}
	thaw()
	if err := settle(); err != nil {
		t.Fatal(err)
	}
	mustSend(t, d, abc()...)
	if keys := recoverKeys(t, d); len(keys) != 0 {
		t.Error(keys)
	}
	if got := strings.Join(tree(t, dir), " "); got != "a b c" {
		t.Error(got)
	}
}

func TestFullDisk(t *testing.T) {
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=64k"); err != nil {
		t.Skip("skipped: a full disk needs a small file system, and mounting one needs root:", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	d := openDest(t, dir, nil)
	t.Cleanup(func() { d.Close() })
	body := "MSH|" + strings.Repeat("x", 10<<10)
	var all []*message.Delivery
	for i := range 12 {
		all = append(all, delivery(uint64(i+1), "", body))
	}
	var taken []string
	for rounds := 0; len(all) > 0; rounds++ {
		results, settle := d.SendBatch(context.Background(), all)
		n, err := written(t, results)
		if n < len(all) && !errors.Is(err, unix.ENOSPC) || n == 0 || rounds > 12 {
			t.Fatalf("round %d: %d written, %v", rounds, n, err)
		}
		if err := settle(); err != nil {
			t.Fatal(err)
		}
		for _, name := range tree(t, dir) { // everything that is there is whole and to be seen
			if read(t, dir, name) != body {
				t.Error("a file is not whole")
			}
			taken = append(taken, strings.TrimSuffix(name, ".hl7"))
			if err := os.Remove(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		all = all[n:]
	}
	for i := range 12 {
		if i >= len(taken) || taken[i] != testID(uint64(i+1)).String() {
			t.Fatalf("taken %v", taken)
		}
	}
}

func TestFileSystemWithoutExclusiveRename(t *testing.T) {
	dir := t.TempDir()
	d := openDest(t, dir, nil)
	d.linked = true
	drop(t, dir, "b", "old", 0)
	mustSend(t, d, abc()...)
	if got := strings.Join(tree(t, dir), " "); got != "a b b-"+testID(2).String()+" c" || read(t, dir, "b") != "old" {
		t.Error(got)
	}
	d.Close()
	crash(t, dir, "announce", delivery(4, "d", "MSH|4"))
	temp, err := filepath.Glob(filepath.Join(dir, privateOut, "*.0.tmp"))
	if err != nil || len(temp) != 1 || os.Link(temp[0], filepath.Join(dir, "d")) != nil { // killed between link and unlink
		t.Fatal(temp, err)
	}
	if keys := recoverKeys(t, openDest(t, dir, nil)); len(keys) != 1 {
		t.Error(keys)
	}
	if got := tree(t, dir); len(got) != 5 {
		t.Error("shown twice:", got)
	}
}

func TestStoppingWritesNothing(t *testing.T) {
	dir := t.TempDir()
	d := openDest(t, dir, nil)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	s := &sending{}
	if err := d.begin(context.Background()); err != nil {
		t.Fatal(err)
	}
	s = d.take(abc())
	d.write(ctx, s)
	d.announce(s)
	d.show(s)
	d.end()
	if n, err := written(t, s.results()); n != 0 || !errors.Is(err, context.Canceled) {
		t.Error(n, err)
	}
	if got := tree(t, dir); len(got) != 0 {
		t.Error(got)
	}
}

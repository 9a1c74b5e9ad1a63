package mailbox

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// disk is a small ext4 file system whose power can be cut: what was not synced
// is lost, as by a machine that stops.
type disk struct {
	t     *testing.T
	image string
	mount string
}

func newDisk(t *testing.T) *disk {
	t.Helper()
	root := t.TempDir()
	d := &disk{t: t, image: filepath.Join(root, "image"), mount: filepath.Join(root, "mount")}
	err := os.WriteFile(d.image, nil, 0o600)
	if err == nil {
		err = os.Truncate(d.image, 16<<20)
	}
	if err == nil {
		err = os.Mkdir(d.mount, 0o700)
	}
	if err == nil {
		err = exec.Command("mkfs.ext4", "-q", "-F", d.image).Run()
	}
	if err == nil {
		err = exec.Command("mount", "-o", "loop", d.image, d.mount).Run()
	}
	if err != nil {
		t.Skip("skipped: power cuts need root, mkfs.ext4 and loop devices:", err)
	}
	t.Cleanup(func() { unix.Unmount(d.mount, unix.MNT_DETACH) })
	return d
}

// cut stops the file system without writing anything more, and starts it again
// after everything that had it open was closed.
func (d *disk) cut(closers ...func() error) {
	d.t.Helper()
	const goingDown, noLogFlush = 0x8004587d, 2 // the ioctl that xfs, ext4 and f2fs have for such tests
	fd, err := unix.Open(d.mount, dirFlags, 0)
	if err != nil {
		d.t.Fatal(err)
	}
	how := uint32(noLogFlush)
	_, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), goingDown, uintptr(unsafe.Pointer(&how)))
	unix.Close(fd)
	for _, c := range closers {
		c()
	}
	if errno != 0 {
		d.t.Skip("skipped: this file system's power cannot be cut:", errno)
	}
	if err := unix.Unmount(d.mount, 0); err != nil {
		d.t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-o", "loop", d.image, d.mount).CombinedOutput(); err != nil {
		d.t.Fatal(string(out), err)
	}
}

func TestWrittenSurvivesAPowerCut(t *testing.T) {
	disk := newDisk(t)
	dir := filepath.Join(disk.mount, "box")
	d := openDest(t, dir, nil)
	if err := syncAll(disk.mount); err != nil { // the mailbox itself is not the destination's to keep
		t.Fatal(err)
	}
	results, _ := d.SendBatch(context.Background(), abc())
	if n, err := written(t, results); n != 3 || err != nil {
		t.Fatal(n, err)
	}
	disk.cut(d.Close)
	if seen, err := filepath.Glob(filepath.Join(dir, "?")); err != nil || len(seen) != 3 {
		t.Error("the consumer sees", len(seen), err)
	}
	d = openDest(t, dir, nil)
	if keys := recoverKeys(t, d); len(keys) != 3 {
		t.Errorf("recovered %v", keys)
	}
	if got := strings.Join(tree(t, dir), " "); got != "a b c" || read(t, dir, "b") != "MSH|2" {
		t.Error(got)
	}
	d.Close()
}

func TestAnnouncedBatchSurvivesAPowerCut(t *testing.T) {
	for _, step := range []string{"write", "announce", "one shown", "all shown"} {
		t.Run(step, func(t *testing.T) {
			disk := newDisk(t)
			dir := filepath.Join(disk.mount, "box")
			openDest(t, dir, nil).Close()
			if err := syncAll(disk.mount); err != nil {
				t.Fatal(err)
			}
			crash(t, dir, step, abc()...)
			disk.cut()
			d := openDest(t, dir, nil)
			defer d.Close()
			keys := recoverKeys(t, d)
			if step != "write" && len(keys) != 3 {
				t.Errorf("recovered %v", keys)
			}
			mustSend(t, d, abc()[len(keys):]...)
			if got := strings.Join(tree(t, dir), " "); got != "a b c" || read(t, dir, "c") != "MSH|3" {
				t.Error(got)
			}
		})
	}
}

// A claim must be durable before the first message of its file is accepted, or
// its messages would come again under another origin.
func TestClaimSurvivesAPowerCut(t *testing.T) {
	disk := newDisk(t)
	dir := filepath.Join(disk.mount, "box")
	s, d := openSource(t, dir, renamedRule), &desk{}
	drop(t, dir, "x", hl7Message("1"), 0)
	if err := syncAll(disk.mount); err != nil {
		t.Fatal(err)
	}
	ready, err := s.scan(time.Now())
	if err == nil {
		err = s.claim(ready)
	}
	if err != nil {
		t.Fatal(err)
	}
	origin := s.claims[0].origin(1)
	disk.cut(s.Close)
	s = openSource(t, dir, renamedRule)
	mustPass(t, s, d)
	if len(d.got) != 1 || d.got[0].Origin != origin {
		t.Errorf("%d messages; the claim was lost", len(d.got))
	}
	s.Close()
}

func syncAll(path string) error {
	fd, err := unix.Open(path, dirFlags, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Syncfs(fd)
}

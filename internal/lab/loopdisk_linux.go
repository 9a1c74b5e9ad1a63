package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"
)

// The shutdown request of ext4 and xfs (_IOR('X', 125, __u32)) and its modes. It
// makes the file system behave as if the power went: nothing more is written.
const (
	shutdownRequest = 0x8004587d
	shutdownLog     = 1 // the file system's journal is flushed first
	shutdownNoLog   = 2 // it is not
)

// loopDisk is an ext4 file system in a file.
type loopDisk struct {
	image, mount string
	size         int64
	mounted      bool
}

func (d *loopDisk) make(ctx context.Context) error {
	if err := os.MkdirAll(d.mount, 0o755); err != nil {
		return err
	}
	f, err := os.Create(d.image)
	if err != nil {
		return err
	}
	if err := errors.Join(f.Truncate(d.size), f.Close()); err != nil {
		return err
	}
	if err := tool(ctx, "mkfs.ext4", "-q", "-F", d.image); err != nil {
		return err
	}
	return d.attach(ctx)
}

func (d *loopDisk) attach(ctx context.Context) error {
	if err := tool(ctx, "mount", "-o", "loop", d.image, d.mount); err != nil {
		return err
	}
	d.mounted = true
	return nil
}

// shutdown cuts the power.
func (d *loopDisk) shutdown(mode uint32) error {
	f, err := os.Open(d.mount)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), shutdownRequest, uintptr(unsafe.Pointer(&mode))); e != 0 {
		return fmt.Errorf("shutting the file system down: %w", e)
	}
	return nil
}

// remount is the power coming back: the file system replays its journal.
func (d *loopDisk) remount(ctx context.Context) error {
	if err := d.detach(); err != nil {
		return err
	}
	return d.attach(ctx)
}

// detach unmounts; a process that has just died may hold the file system for a
// moment. The loop device goes with the mount (autoclear).
func (d *loopDisk) detach() error {
	if !d.mounted {
		return nil
	}
	var err error
	for range 100 {
		if err = unix.Unmount(d.mount, 0); err == nil {
			d.mounted = false
			return nil
		}
		time.Sleep(20 * time.Millisecond)
	}
	return fmt.Errorf("unmounting %s: %w", d.mount, err)
}

// unmake leaves nothing behind, whatever has happened.
func (d *loopDisk) unmake() error {
	err := d.detach()
	if err != nil {
		err = errors.Join(err, unix.Unmount(d.mount, unix.MNT_DETACH))
	}
	return errors.Join(err, os.Remove(d.image))
}

func syncDisk() { unix.Sync() }

// syncData makes the bytes of a file durable, and of its metadata only the size.
func syncData(f *os.File) error { return unix.Fdatasync(int(f.Fd())) }

// tool runs a system tool with its own short time limit.
func tool(ctx context.Context, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if out, err := exec.CommandContext(ctx, name, args...).CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", name, err, out)
	}
	return nil
}

// dieWithParent ends a child when the laboratory is killed.
func dieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

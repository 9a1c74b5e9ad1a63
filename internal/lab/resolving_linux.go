package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// resolvingMain becomes another program that sees FILE as /etc/resolv.conf, in a
// mount namespace of its own: _resolving FILE PROGRAM ARGS.
func resolvingMain(args []string) error {
	if len(args) < 2 {
		return errors.New("usage: _resolving FILE PROGRAM ARGS")
	}
	runtime.LockOSThread() // a namespace belongs to the thread, and exec keeps this one's
	if err := unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
		return fmt.Errorf("a mount namespace: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("making mounts private: %w", err)
	}
	if err := unix.Mount(args[0], "/etc/resolv.conf", "", unix.MS_BIND, ""); err != nil {
		return fmt.Errorf("binding the resolver's file: %w", err)
	}
	return syscall.Exec(args[1], args[1:], append(os.Environ(), "GODEBUG=netdns=go"))
}

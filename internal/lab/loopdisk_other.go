//go:build !linux

package main

import (
	"context"
	"errors"
	"os"
	"syscall"
)

const (
	shutdownLog   = 1
	shutdownNoLog = 2
)

var errNoLoop = errors.New("only Linux has loop-mounted file systems that can be shut down")

// loopDisk does not exist here.
type loopDisk struct {
	image, mount string
	size         int64
}

func (d *loopDisk) make(context.Context) error    { return errNoLoop }
func (d *loopDisk) shutdown(uint32) error         { return errNoLoop }
func (d *loopDisk) remount(context.Context) error { return errNoLoop }
func (d *loopDisk) unmake() error                 { return nil }

func syncDisk() {}

func syncData(f *os.File) error { return f.Sync() }

func dieWithParent() *syscall.SysProcAttr { return nil }

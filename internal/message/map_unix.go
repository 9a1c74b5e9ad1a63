package message

import (
	"fmt"
	"os"
	"syscall"
)

func mapFd(f *os.File, size int64) (View, error) {
	if size == 0 {
		return View{Runs: [][]byte{{}}}, nil
	}
	m, err := syscall.Mmap(int(f.Fd()), 0, int(size), syscall.PROT_READ, syscall.MAP_SHARED)
	if err != nil {
		return View{}, fmt.Errorf("mapping a body file of %d bytes: %w", size, err)
	}
	return View{Runs: [][]byte{m}, close: func() error { return syscall.Munmap(m) }}, nil
}

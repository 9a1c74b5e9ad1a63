//go:build unix

package mllp

import (
	"errors"
	"net"
	"syscall"
)

// peek copies what the kernel holds for conn without taking it and without
// waiting. open is false when the other side has closed.
func peek(conn net.Conn, buf []byte) (n int, open bool, err error) {
	sc, ok := conn.(syscall.Conn)
	if !ok {
		return 0, true, nil
	}
	rc, err := sc.SyscallConn()
	if err != nil {
		return 0, false, err
	}
	var got int
	var fault error
	err = rc.Control(func(fd uintptr) {
		for {
			got, _, fault = syscall.Recvfrom(int(fd), buf, syscall.MSG_PEEK|syscall.MSG_DONTWAIT)
			if fault != syscall.EINTR {
				return
			}
		}
	})
	switch {
	case err != nil:
		return 0, false, err
	case errors.Is(fault, syscall.EAGAIN):
		return 0, true, nil
	case fault != nil:
		return 0, false, fault
	}
	return got, got > 0, nil
}

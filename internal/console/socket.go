package console

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
)

// Socket gives a path by which the socket at path can be listened on or dialled
// until done is called. A Unix socket's path may have 107 bytes at most, and a
// project's may be longer: going through the folder's descriptor keeps it short.
func Socket(path string) (short string, done func(), err error) {
	if len(path) <= 100 {
		return path, func() {}, nil
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return "", nil, fmt.Errorf("folder of the engine's socket: %w", err)
	}
	return fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path)), func() { dir.Close() }, nil
}

// DialSocket connects to an engine's socket, however long its path.
func DialSocket(path string) func(context.Context) (net.Conn, error) {
	return func(ctx context.Context) (net.Conn, error) {
		short, done, err := Socket(path)
		if err != nil {
			return nil, err
		}
		defer done()
		var d net.Dialer
		return d.DialContext(ctx, "unix", short)
	}
}

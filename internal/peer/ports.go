package peer

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
)

// Ports that are not handed out to connections by themselves (Linux begins at
// 32768), so that none of these is taken between being found and being used.
const (
	firstPort = 15_000
	portsEnd  = 30_000
)

// FreePorts gives n different addresses of this machine on which nobody listens.
func FreePorts(n int) ([]string, error) {
	var out []string
	var open []net.Listener
	defer func() {
		for _, l := range open {
			l.Close()
		}
	}()
	for range 100 + 10*n {
		if len(out) == n {
			return out, nil
		}
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", firstPort+rand.IntN(portsEnd-firstPort)))
		if err != nil {
			continue // taken
		}
		open = append(open, l)
		out = append(out, l.Addr().String())
	}
	return nil, errors.New("no free port was found on this machine")
}

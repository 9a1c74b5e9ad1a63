package nets

import (
	"context"
	"errors"
	"fmt"
	"net"
	"syscall"
	"time"
)

// Dead peers are noticed after keepalive + 6 probes 10 s apart.
const (
	probeEvery = 10 * time.Second
	probeCount = 6
)

// KeepAlive of a connection that was idle so long; 0 = off.
func KeepAlive(idle time.Duration) net.KeepAliveConfig {
	return net.KeepAliveConfig{Enable: idle > 0, Idle: idle, Interval: probeEvery, Count: probeCount}
}

// Bind takes the port of a listener of the named kind. Its errors say whom to ask.
func Bind(kind string, at Address, keepalive time.Duration) (net.Listener, error) {
	lc := net.ListenConfig{KeepAlive: -1, KeepAliveConfig: KeepAlive(keepalive)}
	ln, err := lc.Listen(context.Background(), "tcp", at.String())
	if err != nil {
		return nil, fmt.Errorf("%s listener cannot bind %s: %w%s", kind, at, err, bindHint(at, err))
	}
	return ln, nil
}

func bindHint(at Address, err error) string {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Sprintf("; another program or engine holds the port: see which with `ss -ltnp 'sport = :%d'`", at.Port)
	case errors.Is(err, syscall.EACCES):
		return "; ports below 1024 need the right to bind them: ask the system's administrator for CAP_NET_BIND_SERVICE, or take a port above 1023"
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Sprintf("; this machine has no address %s: list them with `ip addr`, or listen on 0.0.0.0", at.Host)
	}
	var dns *net.DNSError
	if errors.As(err, &dns) {
		return "; listen on an IP address of this machine instead of a name"
	}
	return ""
}

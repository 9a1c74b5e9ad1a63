package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spine-engine/spine-engine/internal/peer"
)

// Where the experiment's names lead. The destinations may call the first and no
// other loopback address; the last is link-local, where clouds keep their secrets.
const (
	allowedHost   = "127.0.0.2"
	trapHost      = "127.0.0.3"
	linkLocalHost = "169.254.77.77"
	resolverHost  = "127.0.0.99"
)

var linkLocal = [4]byte{169, 254, 77, 77}

// runRebound runs an engine whose names the laboratory answers (its resolver is the
// laboratory's, in a mount namespace of its own), with three destinations:
//
//	moving    its name leads to the allowed host, then to a forbidden one
//	returning its server redirects to the same name, which has moved to link-local
//	elsewhere its server redirects to a link-local address
//
// The first message shows that each is reached, the second must reach nobody else.
func (l *lab) runRebound(ctx context.Context) error {
	if os.Geteuid() != 0 {
		l.skip("names that move: giving a process a resolver of its own needs root")
		return nil
	}
	r := &rebound{lab: l}
	var err error
	if r.names, err = startNames(net.JoinHostPort(resolverHost, "53")); err != nil {
		l.skip("names that move: no name server can be made here: %v", err)
		return nil
	}
	for _, name := range []string{"moving.example", "returning.example"} {
		r.names.lead(name, [4]byte{127, 0, 0, 2})
	}
	err = r.run(ctx)
	return errors.Join(err, r.names.stop())
}

type rebound struct {
	*lab
	names   *nameServer
	port    string
	second  atomic.Bool  // the second message is on its way
	moving  atomic.Int32 // messages at the allowed host, by path
	return1 atomic.Int32
	else1   atomic.Int32
	strange atomic.Int32 // anything elsewhere
	engine  *engine
	project project
}

func (r *rebound) run(ctx context.Context) (err error) {
	host, err := net.Listen("tcp", net.JoinHostPort(allowedHost, "0"))
	if err != nil {
		return err
	}
	_, r.port, _ = net.SplitHostPort(host.Addr().String())
	trap, err := net.Listen("tcp", net.JoinHostPort(trapHost, r.port))
	if err != nil {
		return errors.Join(err, host.Close())
	}
	allowed := r.serve(host, http.HandlerFunc(r.take))
	caught := r.serve(trap, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { r.strange.Add(1) }))
	defer func() { err = errors.Join(err, allowed.Close(), caught.Close()) }()
	if err := r.begin(ctx); err != nil {
		return err
	}
	defer func() { r.engine.kill() }()
	if err := r.send(ctx, 0); err != nil {
		return err
	}
	if err := r.engine.drained(ctx, 30*time.Second); err != nil {
		return fmt.Errorf("the first message: %w", err)
	}
	r.check(r.moving.Load() == 1 && r.return1.Load() == 1 && r.else1.Load() == 1,
		"before the names move each destination is reached: %d, %d, %d", r.moving.Load(), r.return1.Load(), r.else1.Load())
	r.names.lead("moving.example", [4]byte{127, 0, 0, 3})
	r.second.Store(true)
	if err := r.send(ctx, 1); err != nil {
		return err
	}
	return r.judge(ctx)
}

// serve serves without keeping connections: each try must connect anew.
func (r *rebound) serve(l net.Listener, h http.Handler) *http.Server {
	s := &http.Server{Handler: h, ReadHeaderTimeout: 10 * time.Second}
	s.SetKeepAlivesEnabled(false)
	go func() { _ = s.Serve(l) }() // it ends when it is closed
	return s
}

// take is the allowed host.
func (r *rebound) take(w http.ResponseWriter, req *http.Request) {
	switch req.URL.Path {
	case "/moving":
		r.moving.Add(1)
	case "/returning":
		r.return1.Add(1)
		if r.second.Load() {
			r.names.lead("returning.example", linkLocal)
			w.Header().Set("Location", "http://returning.example:"+r.port+"/next")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}
	case "/elsewhere":
		r.else1.Add(1)
		if r.second.Load() {
			w.Header().Set("Location", "http://"+net.JoinHostPort(linkLocalHost, r.port)+"/latest")
			w.WriteHeader(http.StatusTemporaryRedirect)
		}
	default:
		r.strange.Add(1)
	}
}

func (r *rebound) begin(ctx context.Context) error {
	dir, err := r.sub("rebound")
	if err != nil {
		return err
	}
	listen, err := freePort()
	if err != nil {
		return err
	}
	r.project = project{dir: dir, listen: listen, feed: "deliver:\n" + r.to("moving", "moving.example") +
		r.to("returning", "returning.example") + r.to("elsewhere", allowedHost) + "unrouted: hold\n"}
	if err := r.project.write(); err != nil {
		return err
	}
	resolver := filepath.Join(dir, "resolv.conf")
	if err := os.WriteFile(resolver, []byte("nameserver "+resolverHost+"\noptions timeout:1 attempts:2\n"), 0o644); err != nil {
		return err
	}
	r.engine = r.lab.engine(r.project)
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	r.engine.within = []string{exe, "_resolving", resolver}
	return r.engine.up(ctx)
}

func (r *rebound) to(name, host string) string {
	return fmt.Sprintf(`  - to: %s
    http: { post: "http://%s/%s", allow_private: ["%s/32"], redirects: same_host, connect_timeout: 2s }
    reply: { 2xx: done, 4xx: dead_letter, 5xx: retry, none: { after: 5s, do: retry } }
    retry: { first: 100ms, factor: 2, cap: 500ms, give_up_after: never }
`, name, net.JoinHostPort(host, r.port), name, allowedHost)
}

func (r *rebound) send(ctx context.Context, n int) error {
	c, err := peer.Dial(ctx, r.project.listen, nil, 10*time.Second)
	if err != nil {
		return err
	}
	defer c.Close()
	a, err := c.Ask(generator{prefix: 'N', seed: r.seed, size: 1000}.body(0, n))
	if err == nil && a.Code != "AA" {
		err = fmt.Errorf("message %d was answered %s", n+1, a.Code)
	}
	return err
}

// lastErrors are what the engine says of its queues.
func (r *rebound) lastErrors(ctx context.Context) (map[string]string, error) {
	var queues []struct {
		Name      string `json:"name"`
		Queued    int    `json:"queued"`
		LastError string `json:"last_error"`
	}
	err := r.engine.get(ctx, "/v1/queues", &queues)
	out := map[string]string{}
	for _, q := range queues {
		if q.Queued == 1 {
			out[strings.TrimPrefix(q.Name, "lab/")] = q.LastError
		}
	}
	return out, err
}

// judge waits until every destination has tried several times.
func (r *rebound) judge(ctx context.Context) error {
	var errs map[string]string
	err := eventually(ctx, 30*time.Second, 50*time.Millisecond, func() (ok bool, err error) {
		errs, err = r.lastErrors(ctx)
		return r.names.questions("moving.example") >= 6 && r.names.questions("returning.example") >= 6 && r.else1.Load() >= 4 && len(errs) == 3, err
	})
	if err != nil {
		return fmt.Errorf("%w; queues say %q", err, errs)
	}
	for _, name := range []string{"moving", "returning", "elsewhere"} {
		r.note("%s: %s", name, errs[name])
	}
	r.check(strings.Contains(errs["moving"], "loopback") && r.moving.Load() == 1, "a name that moves to a forbidden address is refused when it connects")
	r.check(strings.Contains(errs["returning"], "link-local") && r.return1.Load() == 2, "a redirect to the same name that leads to link-local meanwhile is refused")
	r.check(r.else1.Load() >= 4, "a redirect to a link-local address is an answer, not followed; it is tried again: %d times", r.else1.Load())
	r.check(r.strange.Load() == 0, "nobody else heard of the message: %d connections", r.strange.Load())
	return nil
}

package mllp

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
)

// canary stands in every test message; a log that holds it holds content.
const canary = "CANARY"

// adt is a message of about 250 bytes with control id id.
func adt(id string) string { return adtWith(id, "") }

// adtWith has more behind MSH-12: MSH-13, 14, 15 ...
func adtWith(id, more string) string {
	return `MSH|^~\&|PAS|RXX|SPINE|RXX|20260105101500||ADT^A01^ADT_A01|` + id + `|P|2.5.1` + more + "\r" +
		"EVN|A01|20260105101500\r" +
		"PID|1||9990000018^^^NHS^NH~" + id + "^^^RXX^PI||" + canary + "^Testa^^^Ms||19700101|2|||1 Test Road^^Testford^^TE5 7ST\r" +
		"PV1|1|I|WARD1^BAY2^BED3||||||||300\r"
}

func frame(body string) string { return "\x0B" + body + "\x1C\r" }

// counts is Count of an environment; wait blocks until a counter has grown.
type counts struct {
	mu   sync.Mutex
	cond *sync.Cond
	n    map[string]int
}

func newCounts() *counts {
	c := &counts{n: map[string]int{}}
	c.cond = sync.NewCond(&c.mu)
	return c
}

func (c *counts) count(what string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.n[what] += n
	c.cond.Broadcast()
}

func (c *counts) get(what string) int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.n[what]
}

func (c *counts) wait(what string, n int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for c.n[what] < n {
		c.cond.Wait()
	}
}

// logBook collects log lines and fails the test if one holds content.
type logBook struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBook) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBook) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func newLogBook(t testing.TB) *logBook {
	b := &logBook{}
	t.Cleanup(func() {
		if s := b.String(); strings.Contains(s, canary) {
			t.Errorf("the log holds content:\n%s", s)
		}
	})
	return b
}

// parse reads a node and gives its problems as texts. Files are resolved from files.
func parse(t testing.TB, yaml string, files map[string]string) (*conf.Node, *conf.Problems) {
	t.Helper()
	ps := &conf.Problems{}
	n := conf.Parse(&conf.Context{Problems: ps, Resolve: func(kind, name string) (string, error) {
		if s, ok := files[name]; ok {
			return s, nil
		}
		return "", fmt.Errorf("no %s %s", kind, name)
	}}, "spine.yaml", []byte(yaml))
	return n, ps
}

func listenConf(t testing.TB, yaml string, files map[string]string) *listenConfig {
	t.Helper()
	n, ps := parse(t, yaml, files)
	c := Kind().Source(n).(*listenConfig)
	for _, p := range ps.Sorted() {
		t.Fatalf("configuration: %s", p)
	}
	return c
}

func connectConf(t testing.TB, yaml string, files map[string]string) *connectConfig {
	t.Helper()
	n, ps := parse(t, yaml, files)
	c := Kind().Destination(n).(*connectConfig)
	for _, p := range ps.Sorted() {
		t.Fatalf("configuration: %s", p)
	}
	return c
}

// engine is a fake engine behind a listener: it keeps what it is given.
type engine struct {
	t        testing.TB
	counts   *counts
	log      *logBook
	decide   func(*message.Envelope) (message.Receipt, error) // nil: AA
	inMemory int64
	spoolErr error

	mu      sync.Mutex
	got     []*message.Envelope
	spooled int
	voided  int
}

func newEngine(t testing.TB) *engine {
	return &engine{t: t, counts: newCounts(), log: newLogBook(t), inMemory: 1 << 20}
}

func (e *engine) accept(ctx context.Context, env *message.Envelope) (message.Receipt, error) {
	defer func() {
		if ctx.Err() != nil {
			e.t.Error("the work in hand was cut short")
		}
	}()
	e.mu.Lock()
	e.got = append(e.got, env)
	e.mu.Unlock()
	if e.decide != nil {
		return e.decide(env)
	}
	return aa(), nil
}

func aa() message.Receipt {
	return message.Receipt{Outcome: message.Routed, Reply: message.Reply{Code: "AA"}}
}

func (e *engine) envelopes() []*message.Envelope {
	e.mu.Lock()
	defer e.mu.Unlock()
	return append([]*message.Envelope(nil), e.got...)
}

func (e *engine) bodies() []string {
	var out []string
	for _, env := range e.envelopes() {
		b, err := env.Body.ReadAll()
		if err != nil {
			e.t.Errorf("body: %v", err)
		}
		out = append(out, string(b))
	}
	return out
}

// spool keeps the contract: nothing stays of a body whose reader failed.
func (e *engine) spool(r io.Reader, max int64) (message.Body, error) {
	if e.spoolErr != nil {
		return message.Body{}, e.spoolErr
	}
	path := filepath.Join(e.t.TempDir(), "body")
	b, err := io.ReadAll(io.LimitReader(r, max+1))
	if err == nil && int64(len(b)) > max {
		err = errors.New("too large for the spool")
	}
	if err == nil {
		err = os.WriteFile(path, b, 0o600)
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if err != nil {
		e.voided++
		return message.Body{}, err
	}
	e.spooled++
	return message.InFile(message.File{Path: path, Size: int64(len(b)), Sum: sha256.Sum256(b)}), nil
}

func (e *engine) env() adapters.SourceEnv {
	return adapters.SourceEnv{Name: "pas", Log: zerolog.New(e.log), InMemory: e.inMemory, Spool: e.spool, Count: e.counts.count}
}

// running is a listener that serves.
type running struct {
	*engine
	l    *listener
	stop func() // ends Run and waits for it; may be called again
}

// serve runs a listener configured by yaml on a real port.
func serve(t testing.TB, e *engine, yaml string, files map[string]string) *running {
	t.Helper()
	src, err := listenConf(t, yaml, files).Open(e.env())
	if err != nil {
		t.Fatal(err)
	}
	return run(t, e, src.(*listener))
}

func run(t testing.TB, e *engine, l *listener) *running {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- l.Run(ctx, e.accept) }()
	r := &running{engine: e, l: l}
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		if all, peers := l.door.Inside(); len(l.conns) != 0 || peers != 0 || all != 0 {
			t.Errorf("after Run: %d connections, %d peers remembered", len(l.conns), peers)
		}
		if left := l.memory.left.Load(); left != frameMemory {
			t.Errorf("after Run: %d bytes of the frame budget are not given back", frameMemory-left)
		}
	})
	t.Cleanup(r.stop)
	return r
}

const anyPort = `{ listen: "127.0.0.1:0" }`

func dialTCP(t testing.TB, addr net.Addr) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

func send(t testing.TB, c io.Writer, s string) {
	t.Helper()
	if _, err := io.WriteString(c, s); err != nil {
		t.Fatalf("write: %v", err)
	}
}

// answer reads one frame, byte by byte, without the code under test.
func answer(t testing.TB, r io.Reader) string {
	t.Helper()
	s, err := readFrame(r)
	if err != nil {
		t.Fatalf("answer: %v after %q", err, s)
	}
	return s
}

func readFrame(r io.Reader) (string, error) {
	var out []byte
	one := make([]byte, 1)
	for {
		if _, err := io.ReadFull(r, one); err != nil {
			return string(out), err
		}
		if out = append(out, one[0]); bytes.HasSuffix(out, []byte("\x1C\r")) {
			body, ok := bytes.CutPrefix(bytes.TrimSuffix(out, []byte("\x1C\r")), []byte("\x0B"))
			if !ok {
				return string(out), errors.New("no start block")
			}
			return string(body), nil
		}
	}
}

// msa gives MSA-1 and MSA-2 of an answer.
func msa(s string) string {
	for _, line := range strings.Split(s, "\r") {
		if f := strings.Split(line+"||", "|"); f[0] == "MSA" {
			return f[1] + " " + f[2]
		}
	}
	return "no MSA"
}

// field gives a field of the first segment id; MSH counts from the separator.
func field(s, id string, n int) string {
	for _, line := range strings.Split(s, "\r") {
		f := strings.Split(line, "|")
		if f[0] == id && id == "MSH" {
			n--
		}
		if f[0] == id && n < len(f) {
			return f[n]
		}
	}
	return ""
}

// pipes is a net.Listener over net.Pipe: every write arrives as one read, and
// time in a synctest bubble stands still while all wait.
type pipes struct {
	conns  chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func newPipes() *pipes { return &pipes{conns: make(chan net.Conn), closed: make(chan struct{})} }

func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.conns:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

func (p *pipes) Close() error   { p.once.Do(func() { close(p.closed) }); return nil }
func (p *pipes) Addr() net.Addr { return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 2575} }

func (p *pipes) dial() net.Conn {
	a, b := net.Pipe()
	p.conns <- b
	return a
}

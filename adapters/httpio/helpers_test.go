package httpio

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
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

// canary stands in every test message and every answer of a peer; a log, an error
// or an answer of ours that holds it holds content.
const canary = "CANARY"

const er7 = "application/hl7-v2"

// adt is a message of about 250 bytes with control id id.
func adt(id string) string { return adtWith(id, "") }

// adtWith has more behind MSH-12: MSH-13, 14, 15 ...
func adtWith(id, more string) string {
	return `MSH|^~\&|PAS|RXX|SPINE|RXX|20260105101500||ADT^A01^ADT_A01|` + id + `|P|2.5.1` + more + "\r" +
		"EVN|A01|20260105101500\r" +
		"PID|1||9990000018^^^NHS^NH~" + id + "^^^RXX^PI||" + canary + "^Testa^^^Ms||19700101|2|||1 Test Road^^Testford^^TE5 7ST\r" +
		"PV1|1|I|WARD1^BAY2^BED3||||||||300\r"
}

// ack is what a peer answers to the message with control id id.
func ack(code, id string) string {
	return `MSH|^~\&|SPINE|RXX|PAS|RXX|20260105101501||ACK^A01^ACK|R1|P|2.5.1` + "\rMSA|" + code + "|" + id + "|" + canary + "\r"
}

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
		if s := b.String(); strings.Contains(s, canary) || strings.Contains(s, goodToken) {
			t.Errorf("the log holds content or a secret:\n%s", s)
		}
	})
	return b
}

const (
	goodToken = "0123456789abcdef0123456789abcdef"
	nextToken = "fedcba9876543210fedcba9876543210"
)

// parse reads a node and gives its problems. Files are resolved from files.
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

func requestConf(t testing.TB, yaml string, files map[string]string) *requestConfig {
	t.Helper()
	n, ps := parse(t, yaml, files)
	c := Kind().Destination(n).(*requestConfig)
	for _, p := range ps.Sorted() {
		if p.Severity == conf.Error {
			t.Fatalf("configuration: %s", p)
		}
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
	return message.Receipt{ID: message.ID{1, 2, 3}, Outcome: message.Routed, Reply: message.Reply{Code: "AA"}}
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
		return message.Body{}, errors.New("the spool has failed") // wraps nothing
	}
	e.spooled++
	return message.InFile(message.File{Path: path, Size: int64(len(b)), Sum: sha256.Sum256(b)}), nil
}

func (e *engine) env() adapters.SourceEnv {
	return adapters.SourceEnv{Name: "poct", Log: zerolog.New(e.log), InMemory: e.inMemory, Spool: e.spool, Count: e.counts.count}
}

// running is a source that serves.
type running struct {
	*engine
	s    *source
	stop func() // ends Run and waits for it; may be called again
}

// serve runs a source configured by yaml on a real port.
func serve(t testing.TB, e *engine, yaml string, files map[string]string) *running {
	t.Helper()
	src, err := listenConf(t, yaml, files).Open(e.env())
	if err != nil {
		t.Fatal(err)
	}
	return run(t, e, src.(*source))
}

func run(t testing.TB, e *engine, s *source) *running {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Run(ctx, e.accept) }()
	r := &running{engine: e, s: s}
	r.stop = sync.OnceFunc(func() {
		cancel()
		if err := <-done; err != nil {
			t.Errorf("Run: %v", err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		if len(s.reading) != 0 || len(s.slots) != 0 {
			t.Errorf("after Run: %d bodies, %d requests remembered", len(s.reading), len(s.slots))
		}
		if left := s.memory.left.Load(); left != bodyMemory {
			t.Errorf("after Run: %d bytes of the body budget are not given back", bodyMemory-left)
		}
	})
	t.Cleanup(r.stop)
	return r
}

const anyPort = `{ listen: "127.0.0.1:0" }`

func (r *running) url() string {
	scheme := "http://"
	if r.s.cfg.tls != nil {
		scheme = "https://"
	}
	return scheme + r.s.Addr().String() + r.s.cfg.path
}

// caller is an HTTP client without the code under test.
func caller(t testing.TB, tc *tls.Config) *http.Client {
	tr := &http.Transport{TLSClientConfig: tc, ForceAttemptHTTP2: tc != nil, DisableCompression: true}
	t.Cleanup(tr.CloseIdleConnections)
	return &http.Client{Transport: tr, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func trust(t testing.TB, ca string, pair ...string) *tls.Config {
	t.Helper()
	c := &tls.Config{RootCAs: x509.NewCertPool()}
	if !c.RootCAs.AppendCertsFromPEM([]byte(ca)) {
		t.Fatal("no authority")
	}
	if len(pair) == 2 {
		p, err := tls.X509KeyPair([]byte(pair[0]), []byte(pair[1]))
		if err != nil {
			t.Fatal(err)
		}
		c.Certificates = []tls.Certificate{p}
	}
	return c
}

// reply is an answer that was read whole.
type reply struct {
	status int
	header http.Header
	body   string
	proto  string
}

func post(t testing.TB, c *http.Client, url, ctype string, body io.Reader, headers ...string) reply {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, url, body)
	if err != nil {
		t.Fatal(err)
	}
	if ctype != "" {
		req.Header.Set("Content-Type", ctype)
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Add(headers[i], headers[i+1])
	}
	return do(t, c, req)
}

// later posts from a goroutine of its own.
func later(t testing.TB, c *http.Client, url string) <-chan reply {
	done := make(chan reply, 1)
	req, err := http.NewRequest(http.MethodPost, url, strings.NewReader(adt("1")))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", er7)
	go func() { done <- do(t, c, req) }()
	return done
}

// do gives a reply without a status when there was none.
func do(t testing.TB, c *http.Client, req *http.Request) reply {
	t.Helper()
	resp, err := c.Do(req)
	if err != nil {
		t.Error(err)
		return reply{}
	}
	defer resp.Body.Close()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Error(err)
	}
	if strings.Contains(string(b), canary) {
		t.Errorf("the answer holds content: %q", b)
	}
	return reply{resp.StatusCode, resp.Header, string(b), resp.Proto}
}

// msa is MSA-1 and MSA-2 of an answer.
func msa(a string) string {
	_, after, ok := strings.Cut(a, "\rMSA|")
	f := strings.Split(strings.SplitN(after, "\r", 2)[0], "|")
	if !ok {
		return ""
	}
	return strings.Join(f[:min(len(f), 2)], " ")
}

func dialTCP(t testing.TB, addr net.Addr) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

package httpio

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/internal/message"
)

func zip(t testing.TB, s string) string {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	if _, err := io.WriteString(z, s); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// chunked hides the length of a body from the client.
func chunked(s string) io.Reader { return struct{ io.Reader }{strings.NewReader(s)} }

func long(n int) string {
	var b strings.Builder
	b.WriteString(adt("1"))
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "NTE|%d|L|%x note of a test\r", i, uint32(i)*2654435761)
	}
	return b.String()[:n]
}

// Bodies of every size and spelling arrive byte for byte, in memory or spooled,
// or are refused whole.
func TestBodies(t *testing.T) {
	const plain = `{ listen: "127.0.0.1:0", max_message: 100KiB }`
	const gz = `{ listen: "127.0.0.1:0", max_message: 100KiB, gzip: true }`
	small, large, most := adt("1"), long(70<<10), long(100<<10)
	zeros := strings.Repeat("\x00", 10<<20)
	for _, tc := range []struct {
		name, yaml, body, coding, want string // want "" = refused
		chunked                        bool
		status                         int
		spooled                        int
		counter                        string
	}{
		{name: "small", yaml: plain, body: small, want: small, status: 200},
		{name: "small, chunked", yaml: plain, body: small, want: small, chunked: true, status: 200},
		{name: "exactly what may be in memory", yaml: plain, body: long(8 << 10), want: long(8 << 10), status: 200},
		{name: "a byte more", yaml: plain, body: long(8<<10 + 1), want: long(8<<10 + 1), status: 200, spooled: 1},
		{name: "large", yaml: plain, body: large, want: large, status: 200, spooled: 1},
		{name: "large, chunked", yaml: plain, body: large, want: large, chunked: true, status: 200, spooled: 1},
		{name: "exactly max_message", yaml: plain, body: most, want: most, chunked: true, status: 200, spooled: 1},
		{name: "a byte above max_message, said", yaml: plain, body: most + "x", status: 413, counter: "too_large"},
		{name: "a byte above max_message, chunked", yaml: plain, body: most + "x", chunked: true, status: 413, counter: "too_large"},
		{name: "gzip, small", yaml: gz, body: zip(t, small), coding: "gzip", want: small, status: 200},
		{name: "gzip, by its old name", yaml: gz, body: zip(t, small), coding: "X-GZIP", want: small, status: 200},
		{name: "gzip allowed, not used", yaml: gz, body: small, coding: "identity", want: small, status: 200},
		{name: "gzip, large", yaml: gz, body: zip(t, large), coding: "gzip", want: large, chunked: true, status: 200, spooled: 1},
		{name: "gzip of too much", yaml: gz, body: zip(t, most+"x"), coding: "gzip", status: 413, counter: "too_large"},
		{name: "a bomb", yaml: gz, body: zip(t, zeros), coding: "gzip", status: 413, counter: "too_large"},
		{name: "a bomb in a wide listener", yaml: `{ listen: "127.0.0.1:0", max_message: 1GiB, gzip: true }`, body: zip(t, zeros), coding: "gzip", status: 413, counter: "too_large"},
		{name: "gzip within gzip's ratio", yaml: gz, body: zip(t, strings.Repeat("A", 60<<10)), coding: "gzip", want: strings.Repeat("A", 60<<10), status: 200, spooled: 1},
		{name: "not gzip", yaml: gz, body: small, coding: "gzip", status: 400, counter: "body_broken"},
		{name: "gzip of nothing at all", yaml: gz, body: "", coding: "gzip", status: 400, counter: "body_broken"},
		{name: "half a gzip stream", yaml: gz, body: zip(t, large)[:5000], coding: "gzip", chunked: true, status: 400, counter: "body_broken"},
		{name: "gzip, its sum spoilt", yaml: gz, body: strings.Repeat(zip(t, small)[:len(zip(t, small))-8], 1) + "12345678", coding: "gzip", status: 400, counter: "body_broken"},
		{name: "two gzip streams", yaml: gz, body: zip(t, small) + zip(t, small), coding: "gzip", status: 400, counter: "body_broken"},
		{name: "twice coded", yaml: gz, body: zip(t, zip(t, small)), coding: "gzip, gzip", status: 415, counter: "refused_media"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEngine(t)
			e.inMemory = 8 << 10
			r := serve(t, e, tc.yaml, nil)
			var h []string
			if tc.coding != "" {
				h = []string{"Content-Encoding", tc.coding}
			}
			var body io.Reader = strings.NewReader(tc.body)
			if tc.chunked {
				body = chunked(tc.body)
			}
			a := post(t, caller(t, nil), r.url(), er7, body, h...)
			r.stop()
			if a.status != tc.status || e.spooled != tc.spooled || tc.counter != "" && e.counts.get(tc.counter) != 1 {
				t.Errorf("status %d, %d spooled, %q; %s", a.status, e.spooled, a.body, r.log)
			}
			got := e.bodies()
			if tc.want == "" && len(got) != 0 || tc.want != "" && (len(got) != 1 || got[0] != tc.want) {
				t.Errorf("%d bodies arrived, or not as they were sent", len(got))
			}
		})
	}
}

// A bomb costs no more memory and no more of a file than its ratio allows.
func TestBombStopsEarly(t *testing.T) {
	in := &intake{r: strings.NewReader(zip(t, strings.Repeat("\x00", 64<<20))), max: 1 << 40}
	if err := in.inflate(); err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, in)
	var f *bodyFault
	if !errors.As(err, &f) || f.kind != bodyBomb || n > 4<<20 {
		t.Errorf("%d bytes, %v", n, err)
	}
	if _, again := in.Read(make([]byte, 1)); again != err {
		t.Errorf("again: %v", again)
	}
}

func TestSpoolFaults(t *testing.T) {
	e := newEngine(t)
	e.inMemory, e.spoolErr = 1<<10, errors.New("no space")
	r := serve(t, e, anyPort, nil)
	if a := post(t, caller(t, nil), r.url(), er7, strings.NewReader(long(2<<10))); a.status != 503 || a.header.Get("Retry-After") == "" {
		t.Errorf("status %d", a.status)
	}
	if e.counts.get("not_stored") != 1 || len(e.envelopes()) != 0 {
		t.Error("not counted, or handed over")
	}
}

// When half-received bodies have used up their memory, the next ones are spooled.
func TestMemoryOfBodies(t *testing.T) {
	e := newEngine(t)
	r := serve(t, e, anyPort, nil)
	r.s.memory.take(bodyMemory)
	a := post(t, caller(t, nil), r.url(), er7, strings.NewReader(adt("1")))
	r.s.memory.give(bodyMemory)
	if b := e.bodies(); a.status != 200 || e.spooled != 1 || b[0] != adt("1") {
		t.Errorf("status %d, %d spooled", a.status, e.spooled)
	}
}

func TestSlowAndCut(t *testing.T) {
	for _, tc := range []struct {
		name, yaml, sent string
		want             string // what comes back begins so
		counter          string
		hangUp           bool
	}{
		{"headers that never end", `{ listen: "127.0.0.1:0", header_timeout: 20ms }`, "POST / HTTP/1.1\r\nHost: x\r\n", "", "connections_closed", false},
		{"not a word", `{ listen: "127.0.0.1:0", header_timeout: 20ms }`, "", "", "connections_closed", false},
		{"a body that never ends", `{ listen: "127.0.0.1:0", body_timeout: 20ms }`, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/hl7-v2\r\nContent-Length: 1000\r\n\r\nMSH|", "HTTP/1.1 408 ", "body_late", false},
		{"chunks that never end", `{ listen: "127.0.0.1:0", body_timeout: 20ms }`, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/hl7-v2\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nMSH|\r\n", "HTTP/1.1 408 ", "body_late", false},
		{"nothing behind the answer", `{ listen: "127.0.0.1:0", idle_timeout: 20ms }`, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/hl7-v2\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 ", "connections_closed", false},
		{"cut off", anyPort, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/hl7-v2\r\nContent-Length: 1000\r\n\r\nMSH|", "", "body_cut", true},
		{"no HTTP", anyPort, "\x0BMSH|^~\\&|" + canary + "\r\x1C\r\r\n\r\n", "HTTP/1.1 400 ", "connections_closed", false},
		{"two lengths", anyPort, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/hl7-v2\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nMSH|aPOST / HTTP", "HTTP/1.1 400 ", "connections_closed", false},
		{"length and chunks, twice chunked", anyPort, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, chunked\r\nContent-Length: 6\r\n\r\n0\r\n\r\n", "HTTP/1.1 501 ", "connections_closed", false},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEngine(t)
			r := serve(t, e, tc.yaml, nil)
			c := dialTCP(t, r.s.Addr())
			io.WriteString(c, tc.sent)
			if tc.hangUp {
				c.Close()
			} else if b, _ := io.ReadAll(c); !strings.HasPrefix(string(b), tc.want) {
				t.Errorf("answered %q", b)
			}
			r.counts.wait(tc.counter, 1)
			r.stop()
			for _, env := range e.envelopes() {
				if env.Body.Size() != 0 {
					t.Error("a part of a message was handed over")
				}
			}
		})
	}
}

func TestExpectContinue(t *testing.T) {
	e := newEngine(t)
	r := serve(t, e, `{ listen: "127.0.0.1:0", bearer: "${file:token}" }`, keys(t))
	for _, tc := range []struct {
		token string
		want  string
	}{{"wrong", "HTTP/1.1 401 "}, {goodToken, "HTTP/1.1 100 "}} {
		c := dialTCP(t, r.s.Addr())
		fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\nContent-Type: application/hl7-v2\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n", tc.token)
		b := make([]byte, len(tc.want))
		if _, err := io.ReadFull(c, b); err != nil || string(b) != tc.want {
			t.Errorf("%q, %v; want %q", b, err, tc.want)
		}
		c.Close()
	}
}

// A sender that goes away after its last byte has sent a message all the same.
func TestSenderGoneIsStored(t *testing.T) {
	e := newEngine(t)
	entered, leave := make(chan struct{}), make(chan struct{})
	e.decide = func(*message.Envelope) (message.Receipt, error) {
		close(entered)
		<-leave
		return aa(), nil
	}
	r := serve(t, e, anyPort, nil)
	c := dialTCP(t, r.s.Addr())
	fmt.Fprintf(c, "POST / HTTP/1.1\r\nHost: x\r\nContent-Type: application/hl7-v2\r\nContent-Length: %d\r\n\r\n%s", len(adt("1")), adt("1"))
	<-entered
	c.Close()
	r.counts.wait("connections", 1)
	close(leave) // accept checks that its context still lives
	r.stop()
	if b := e.bodies(); len(b) != 1 || b[0] != adt("1") {
		t.Errorf("%d bodies", len(b))
	}
}

func TestMethodsHaveNoWayAround(t *testing.T) {
	r := serve(t, newEngine(t), anyPort, nil)
	for _, method := range []string{"GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "post"} {
		req, err := http.NewRequest(method, r.url(), strings.NewReader(adt("1")))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Content-Type", er7)
		req.Header.Set("X-HTTP-Method-Override", "POST")
		if a := do(t, caller(t, nil), req); a.status != 405 {
			t.Errorf("%s: %d", method, a.status)
		}
	}
	if len(r.envelopes()) != 0 {
		t.Error("the engine was asked")
	}
}

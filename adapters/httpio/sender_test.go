package httpio

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/message"
)

// outgoing is a sender under test.
type outgoing struct {
	*sender
	counts *counts
}

func openWith(t testing.TB, yaml string, files map[string]string) *outgoing {
	t.Helper()
	c := newCounts()
	d, err := requestConf(t, yaml, files).Open(adapters.DestinationEnv{Name: "lims", Log: zerolog.New(newLogBook(t)), Count: c.count})
	if err != nil {
		t.Fatal(err)
	}
	s := d.(*sender)
	t.Cleanup(func() { s.Close() })
	return &outgoing{s, c}
}

func delivery(id string) *message.Delivery {
	return &message.Delivery{Message: message.ID{1, 2, 3}, Key: message.Key{Seq: 47, N: 2}, Queue: "lims", Body: message.InMemory([]byte(adt(id))), ControlID: id}
}

// peer is a server without the code under test.
func peer(t testing.TB, h http.HandlerFunc) string {
	s := httptest.NewServer(h)
	t.Cleanup(s.Close)
	return s.URL
}

func TestReplies(t *testing.T) {
	say := func(status int, ctype, body string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			io.Copy(io.Discard, r.Body)
			w.Header().Set("Content-Type", ctype)
			w.WriteHeader(status)
			io.WriteString(w, body)
		}
	}
	for _, tc := range []struct {
		name    string
		handler http.HandlerFunc
		code    string
		text    string
	}{
		{"200", say(200, "", ""), "200", "200 OK"},
		{"201", say(201, "text/plain", "made \r\n it"), "201", "201 Created: made it"},
		{"202", say(202, "", ""), "202", "202 Accepted"},
		{"204", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(204) }, "204", "204 No Content"},
		{"299", say(299, "", ""), "299", "299"},
		{"301", say(301, "", ""), "301", "301 Moved Permanently"},
		{"304", func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(304) }, "304", "304 Not Modified"},
		{"400", say(400, "text/plain", "bad"), "400", "400 Bad Request: bad"},
		{"401", say(401, "", ""), "401", "401 Unauthorized"},
		{"404", say(404, "", ""), "404", "404 Not Found"},
		{"422", say(422, "", ""), "422", "422 Unprocessable Entity"},
		{"429", say(429, "", ""), "429", "429 Too Many Requests"},
		{"500", say(500, "application/octet-stream", "\xff\x00"), "500", "500 Internal Server Error"},
		{"503", say(503, "", ""), "503", "503 Service Unavailable"},
		{"200 with AA", say(200, er7, ack("AA", "7")), "200", canary},
		{"200 with CA", say(200, "x-application/hl7-v2+er7; charset=utf-8", ack("CA", "7")), "200", canary},
		{"200 with AE is no success", say(200, er7, ack("AE", "7")), "AE", canary},
		{"200 with AR", say(200, er7, ack("AR", "7")), "AR", canary},
		{"202 with CR", say(202, er7, ack("CR", "7")), "CR", canary},
		{"200 with CE", say(200, er7, ack("CE", "7")), "CE", canary},
		{"200 with AA to another message", say(200, er7, ack("AA", "8")), adapters.WrongID, "the answer acknowledges another message"},
		{"200 with AE to another message", say(200, er7, ack("AE", "8")), adapters.WrongID, "the answer acknowledges another message"},
		{"200 with a code that is none", say(200, er7, ack("OK", "7")), adapters.Unreadable, "MSA-1"},
		{"200 with what is no HL7", say(200, er7, "<html>"), adapters.Unreadable, "the answer calls itself HL7"},
		{"200 with no acknowledgement", say(200, er7, ""), "200", "no acknowledgement"},
		{"200 with an ER7 text of another type", say(200, "text/plain", ack("AE", "7")), "200", "200 OK: MSH"},
		{"500 with AE stays 500", say(500, er7, ack("AE", "7")), "500", "500 Internal Server Error"},
		{"400 with AR stays 400", say(400, er7, ack("AR", "7")), "400", "400"},
		{"503 with AA stays 503", say(503, er7, ack("AA", "7")), "503", "503"},
		{"a long text", say(500, "text/plain", strings.Repeat("ü", 3000)), "500", "500 Internal Server Error: üü"},
		{"more than max_reply", say(200, "text/plain", strings.Repeat("x", 1<<20)), "200", "200 OK: xx"},
		{"acknowledged behind max_reply", say(200, er7, strings.Repeat("\r", 1<<11)+ack("AA", "7")), adapters.Unreadable, ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := openWith(t, `{ post: "`+peer(t, tc.handler)+`", allow_private: [loopback], max_reply: 1KiB }`, nil)
			r, err := s.Send(t.Context(), delivery("7"))
			if err != nil || r.Code != tc.code || !strings.HasPrefix(r.Text, tc.text) || len(r.Text) > 200 || strings.ContainsRune(r.Text, '\uFFFD') {
				t.Errorf("%q %q %v, want %q %q", r.Code, r.Text, err, tc.code, tc.text)
			}
		})
	}
}

func TestRequestAsSent(t *testing.T) {
	type request struct {
		method, uri, body string
		length            int64
		header            http.Header
	}
	var got []request
	url := peer(t, func(w http.ResponseWriter, r *http.Request) {
		b, _ := io.ReadAll(r.Body)
		got = append(got, request{r.Method, r.RequestURI, string(b), r.ContentLength, r.Header})
	})
	files := map[string]string{"token": goodToken, "api": " s3cret \n"}
	s := openWith(t, `{ put: "`+url+`/adt?site=RXX", allow_private: loopback, bearer: "${file:token}", headers: { x-trust: RXX, X-API-Key: "${file:api}" }, idempotency: X-Message }`, files)
	large := long(300 << 10)
	path := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(path, []byte(large), 0o600); err != nil {
		t.Fatal(err)
	}
	file := message.InFile(message.File{Path: path, Size: int64(len(large)), Sum: sha256.Sum256([]byte(large))})
	bodies := []struct {
		body        message.Body
		want, ctype string
	}{
		{message.InMemory([]byte(adt("7"))), adt("7"), er7},
		{message.InMemory([]byte("\xEF\xBB\xBF\n<a/>")), "\xEF\xBB\xBF\n<a/>", "application/xml"},
		{message.InMemory([]byte("{}")), "{}", "application/octet-stream"},
		{message.Body{}, "", "application/octet-stream"},
		{file, large, er7},
		{message.Compose(file, []message.Piece{{Literal: []byte("FHS|")}, {Offset: 0, Length: int64(len(large))}, {Literal: []byte("end")}}), "FHS|" + large + "end", er7},
	}
	for _, b := range bodies {
		d := delivery("7")
		d.Body = b.body
		if r, err := s.Send(t.Context(), d); err != nil || r.Code != "200" {
			t.Fatalf("%q %v", r.Code, err)
		}
	}
	for i, g := range got {
		b := bodies[i]
		if g.method != "PUT" || g.uri != "/adt?site=RXX" || g.body != b.want || g.length != int64(len(b.want)) {
			t.Errorf("%d: %s %s, %d of %d bytes", i, g.method, g.uri, len(g.body), len(b.want))
		}
		for name, want := range map[string]string{"Content-Type": b.ctype, "Authorization": "Bearer " + goodToken, "X-Trust": "RXX", "X-Api-Key": "s3cret",
			"X-Message": "01081G00000000000000000000.47.2", "Idempotency-Key": "", "User-Agent": "spine-engine", "Accept-Encoding": ""} {
			if g.header.Get(name) != want {
				t.Errorf("%d: %s: %q, want %q", i, name, g.header.Get(name), want)
			}
		}
	}
	if s.counts.get("connections") != 1 {
		t.Errorf("%d connections", s.counts.get("connections"))
	}
}

func TestContentTypeAndNoKey(t *testing.T) {
	var h http.Header
	url := peer(t, func(w http.ResponseWriter, r *http.Request) { h = r.Header })
	s := openWith(t, `{ post: "`+url+`", allow_private: loopback, content_type: "x-application/hl7-v2+er7; charset=utf-8", idempotency: none }`, nil)
	if _, err := s.Send(t.Context(), delivery("7")); err != nil {
		t.Fatal(err)
	}
	if h.Get("Content-Type") != "x-application/hl7-v2+er7; charset=utf-8" || h.Get("Idempotency-Key") != "" {
		t.Errorf("%v", h)
	}
}

// play is a peer made of bytes: each connection is served by the next script, the
// last one again and again.
func play(t testing.TB, scripts ...func(net.Conn)) string {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { ln.Close(); wg.Wait() })
	wg.Go(func() {
		for i := 0; ; i++ {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			f := scripts[min(i, len(scripts)-1)]
			wg.Go(func() { defer c.Close(); f(c) })
		}
	})
	return "http://" + ln.Addr().String()
}

// hear reads one whole request.
func hear(c net.Conn) {
	if r, err := http.ReadRequest(bufio.NewReader(c)); err == nil {
		io.Copy(io.Discard, r.Body)
	}
}

func hangUp(c net.Conn) { io.Copy(io.Discard, c) }

func TestWire(t *testing.T) {
	after := func(s string) func(net.Conn) {
		return func(c net.Conn) { hear(c); io.WriteString(c, s) }
	}
	silent := func(s string) func(net.Conn) {
		return func(c net.Conn) { hear(c); io.WriteString(c, s); hangUp(c) }
	}
	for _, tc := range []struct {
		name   string
		script func(net.Conn)
		code   string // "" = error
		err    string
	}{
		{"silence", silent(""), adapters.NoReply, ""},
		{"half an answer, then silence", silent("HTTP/1.1 200 O"), adapters.NoReply, ""},
		{"a status, then half a body, then silence", silent("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc"), "200", ""},
		{"half an acknowledgement, then silence", silent("HTTP/1.1 200 OK\r\nContent-Type: application/hl7-v2\r\nContent-Length: 100\r\n\r\nMSH|"), adapters.NoReply, ""},
		{"half an acknowledgement, then gone", after("HTTP/1.1 200 OK\r\nContent-Type: application/hl7-v2\r\nContent-Length: 100\r\n\r\nMSH|"), adapters.Unreadable, ""},
		{"gone without a word", after(""), "", "without an answer"},
		{"gone at once", func(c net.Conn) {}, "", "without an answer"},
		{"no HTTP", after(canary + "|^~\\&\r\n\r\n"), adapters.Unreadable, ""},
		{"a status that is none", after("HTTP/1.1 " + canary + "\r\n\r\n"), adapters.Unreadable, ""},
		{"a header that is none", after("HTTP/1.1 200 OK\r\n" + canary + "\r\n\r\n"), adapters.Unreadable, ""},
		{"headers without end", after("HTTP/1.1 200 OK\r\nX: " + strings.Repeat(canary, 20_000)), adapters.Unreadable, ""},
		{"100, then 200", after("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"), "200", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := openWith(t, `{ post: "`+play(t, tc.script)+`", allow_private: loopback, reply_timeout: 100ms }`, nil)
			r, err := s.Send(t.Context(), delivery("7"))
			if r.Code != tc.code || (err == nil) != (tc.code != "") || err != nil && !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%q %q, %v", r.Code, r.Text, err)
			}
			if err != nil && (strings.Contains(err.Error(), canary) || adapters.IsPermanent(err)) {
				t.Errorf("the error holds content or is permanent: %v", err)
			}
		})
	}
}

// A connection that the peer has closed while it was idle is made again: at once,
// or, when the copy was already on its way into it, for the next try.
func TestStaleConnection(t *testing.T) {
	const ok = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	closed := make(chan struct{})
	url := play(t, func(c net.Conn) { hear(c); io.WriteString(c, ok); c.Close(); close(closed) },
		func(c net.Conn) { hear(c); io.WriteString(c, ok) })
	s := openWith(t, `{ post: "`+url+`", allow_private: loopback }`, nil)
	if r, err := s.Send(t.Context(), delivery("7")); err != nil || r.Code != "200" {
		t.Fatalf("%q %v", r.Code, err)
	}
	<-closed
	r, err := s.Send(t.Context(), delivery("7"))
	if err != nil && !adapters.IsPermanent(err) {
		r, err = s.Send(t.Context(), delivery("7"))
	}
	if err != nil || r.Code != "200" {
		t.Errorf("%q %v", r.Code, err)
	}
}

func TestPeerThatTakesNothing(t *testing.T) {
	leave := make(chan struct{})
	defer close(leave)
	s := openWith(t, `{ post: "`+play(t, func(net.Conn) { <-leave })+`", allow_private: loopback, reply_timeout: 100ms }`, nil)
	d := delivery("7")
	d.Body = message.InMemory(make([]byte, 64<<20)) // more than sockets buffer
	if r, err := s.Send(t.Context(), d); err == nil || !strings.Contains(err.Error(), "took nothing within 100ms") {
		t.Errorf("%q %v", r.Code, err)
	}
}

func TestContextEnds(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	s := openWith(t, `{ post: "`+play(t, func(c net.Conn) { hear(c); cancel(); hangUp(c) })+`", allow_private: loopback }`, nil)
	if r, err := s.Send(ctx, delivery("7")); !errors.Is(err, context.Canceled) {
		t.Errorf("%q %v", r.Code, err)
	}
	if _, err := s.Send(ctx, delivery("7")); !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestConnectFaults(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ln.Close()
	for _, tc := range []struct{ name, url, want string }{
		{"refused", "http://" + ln.Addr().String(), "connection refused"},
		{"no such host", "http://nowhere.invalid", "nowhere.invalid"},
		{"plain where TLS is spoken", strings.Replace(peer(t, func(http.ResponseWriter, *http.Request) {}), "http", "https", 1), "speaks plain HTTP"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := openWith(t, `{ post: "`+tc.url+`", allow_private: loopback, connect_timeout: 2s }`, nil)
			_, err := s.Send(t.Context(), delivery("7"))
			if err == nil || !strings.Contains(err.Error(), tc.want) || adapters.IsPermanent(err) {
				t.Errorf("%v", err)
			}
			if s.Probe(t.Context()) == nil {
				t.Error("the probe found something")
			}
		})
	}
}

func TestDamagedBody(t *testing.T) {
	s := openWith(t, `{ post: "http://127.0.0.1:9", allow_private: loopback }`, nil)
	d := delivery("7")
	d.Body = message.InFile(message.File{Path: filepath.Join(t.TempDir(), "gone"), Size: 5})
	if _, err := s.Send(t.Context(), d); err == nil || strings.Contains(err.Error(), canary) {
		t.Errorf("%v", err)
	}
}

// Close lets what is under way finish and takes no more.
func TestSenderCloses(t *testing.T) {
	entered, leave := make(chan struct{}), make(chan struct{})
	s := openWith(t, `{ post: "`+peer(t, func(http.ResponseWriter, *http.Request) { close(entered); <-leave })+`", allow_private: loopback }`, nil)
	done := make(chan error, 1)
	go func() {
		r, err := s.Send(context.Background(), delivery("7"))
		if err == nil && r.Code != "200" {
			err = errors.New(r.Code)
		}
		done <- err
	}()
	<-entered
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if _, err := s.Send(t.Context(), delivery("8")); !errors.Is(err, errClosed) {
		t.Errorf("after Close: %v", err)
	}
	close(leave)
	if err := <-done; err != nil {
		t.Errorf("in hand: %v", err)
	}
}

// The transport may read after it has been answered; then the body is gone, and
// nothing is read from where it was.
func TestUploadAfterClose(t *testing.T) {
	u := &upload{runs: [][]byte{[]byte("abc"), nil, []byte("def")}, progress: func() {}}
	r, _ := u.open()
	var b [4]byte
	if n, err := r.Read(b[:]); n != 4 || err != nil || string(b[:]) != "abcd" {
		t.Errorf("%d %v", n, err)
	}
	again, _ := u.open()
	if all, err := io.ReadAll(again); string(all) != "abcdef" || err != nil {
		t.Errorf("%q %v", all, err)
	}
	u.close()
	if n, err := r.Read(b[:]); n != 0 || !errors.Is(err, errOver) {
		t.Errorf("%d %v", n, err)
	}
}

// An answer that comes before the body has gone out is an answer.
func TestEarlyAnswer(t *testing.T) {
	path := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(path, make([]byte, 32<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	url := play(t, func(c net.Conn) {
		http.ReadRequest(bufio.NewReader(c))
		io.WriteString(c, "HTTP/1.1 413 Too Large\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
		c.SetReadDeadline(time.Now().Add(time.Second))
		io.CopyN(io.Discard, c, 1<<20)
	})
	s := openWith(t, `{ post: "`+url+`", allow_private: loopback }`, nil)
	d := delivery("7")
	d.Body = message.InFile(message.File{Path: path, Size: 32 << 20})
	for i := range 20 {
		if r, err := s.Send(t.Context(), d); err == nil && r.Code != "413" {
			t.Errorf("%d: %q", i, r.Code)
		}
	}
}

func TestKeyIsTheSameForEveryTry(t *testing.T) {
	d, again, other := delivery("7"), delivery("7"), delivery("7")
	again.Attempts, again.Pos = 5, 99
	other.Key.N = 3
	if keyOf(d) != keyOf(again) || keyOf(d) == keyOf(other) {
		t.Error(fmt.Sprint(keyOf(d), keyOf(again), keyOf(other)))
	}
}

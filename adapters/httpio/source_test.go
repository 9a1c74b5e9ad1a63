package httpio

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/message"
)

func TestAnswers(t *testing.T) {
	bad := message.ReplyError{Location: "PID-3", Code: "101", Text: "no hospital number"}
	reject := func(code string, http int) message.Receipt {
		r := aa()
		r.Outcome, r.Reply = message.Rejected, message.Reply{Code: code, Text: "no", Errors: []message.ReplyError{bad}, HTTP: http}
		return r
	}
	with := func(o message.Outcome, r message.Reply) message.Receipt {
		return message.Receipt{ID: message.ID{1, 2, 3}, Outcome: o, Reply: r}
	}
	const id = "01081G00000000000000000000"
	for _, tc := range []struct {
		name, ctype, body string
		receipt           message.Receipt
		err               error
		status            int
		msa, xml          string // of the answer
		answerType        string
	}{
		{"ER7 stored", er7, adt("1"), aa(), nil, 200, "AA 1", "", er7},
		{"ER7 by its other name, with charset", `X-Application/HL7-v2+ER7; charset="UTF-8"`, adt("1"), aa(), nil, 200, "AA 1", "", "x-application/hl7-v2+er7; charset=UTF-8"},
		{"ER7 refused: the acknowledgement says it", er7, adt("1"), reject("AE", 0), nil, 200, "AE 1", "", er7},
		{"ER7 rejected", er7, adt("1"), reject("AR", 0), nil, 200, "AR 1", "", er7},
		{"ER7 refused, the feed names a status", er7, adt("1"), reject("AE", 422), nil, 422, "AE 1", "", er7},
		{"ER7 refused, no answer was asked for", er7, adt("1"), reject("", 0), nil, 422, "", "no", "text/plain; charset=utf-8"},
		{"ER7 commit", er7, adtWith("1", "|||AL|NE"), with(message.Routed, message.Reply{Code: "CA"}), nil, 200, "CA 1", "", er7},
		{"ER7 no answer due", er7, adtWith("1", "|||NE|NE"), with(message.Routed, message.Reply{}), nil, 200, "", "", ""},
		{"ER7 held", er7, adt("1"), with(message.Held, message.Reply{Code: "AA"}), nil, 200, "AA 1", "", er7},
		{"ER7 quarantined", er7, adt("1"), with(message.Quarantined, message.Reply{Code: "AR"}), nil, 400, "AR 1", "", er7},
		{"not ER7 at all", er7, "hello", with(message.Quarantined, message.Reply{}), nil, 400, "", "", "text/plain; charset=utf-8"},
		{"not ER7 at all, answered all the same", er7, "hello", with(message.Quarantined, message.Reply{Code: "AR"}), nil, 400, "AR", "", er7},
		{"a body of the feed's", er7, adt("1"), with(message.Routed, message.Reply{Code: "AA", Body: "thanks", Type: "text/x-thanks", HTTP: 202}), nil, 202, "", "thanks", "text/x-thanks"},
		{"a body of the feed's, no type", "text/xml", "<a/>", with(message.Routed, message.Reply{Code: "AA", Body: "<ok/>"}), nil, 200, "", "<ok/>", "application/xml; charset=utf-8"},
		{"a status that is none", er7, adt("1"), with(message.Routed, message.Reply{Code: "AA", HTTP: 99}), nil, 200, "AA 1", "", er7},
		{"XML stored", "application/xml", "<a/>", aa(), nil, 200, "", `<acknowledgement code="AA" message="01081G00000000000000000000"></acknowledgement>`, "application/xml; charset=utf-8"},
		{"XML refused", "text/xml; charset=iso-8859-1", "<a/>", reject("AE", 0), nil, 422, "",
			`<acknowledgement code="AE" message="01081G00000000000000000000"><text>no</text><error code="101" at="PID-3">no hospital number</error></acknowledgement>`, "application/xml; charset=utf-8"},
		{"XML refused, the feed names a status", "application/hl7-v2+xml", "<a/>", reject("AR", 409), nil, 409, "", `<acknowledgement code="AR"`, "application/xml; charset=utf-8"},
		{"XML quarantined", "text/xml", "<a", with(message.Quarantined, message.Reply{Code: "AR"}), nil, 400, "", `<acknowledgement code="AR"`, "application/xml; charset=utf-8"},
		{"ER7, the engine is busy", er7, adt("1"), message.Receipt{}, fmt.Errorf("%w: disk", adapters.ErrBusy), 503, "AE 1", "", er7},
		{"ER7, not stored, nothing asked for", er7, adtWith("1", "|||NE|NE"), message.Receipt{}, errors.New("disk"), 503, "", "not stored, send again", "text/plain; charset=utf-8"},
		{"XML, not stored", "text/xml", "<a/>", message.Receipt{}, errors.New("disk"), 503, "", `<acknowledgement code="AE"><text>not stored`, "application/xml; charset=utf-8"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEngine(t)
			e.decide = func(*message.Envelope) (message.Receipt, error) { return tc.receipt, tc.err }
			r := serve(t, e, anyPort, nil)
			a := post(t, caller(t, nil), r.url(), tc.ctype, strings.NewReader(tc.body))
			if a.status != tc.status || msa(a.body) != tc.msa || !strings.HasPrefix(a.body, tc.xml) || a.header.Get("Content-Type") != tc.answerType {
				t.Errorf("%d %q %q, want %d %s%s %q", a.status, a.header.Get("Content-Type"), a.body, tc.status, tc.msa, tc.xml, tc.answerType)
			}
			if got := a.header.Get("Spine-Message-Id"); (got != "") != (tc.err == nil) || got != "" && got != id {
				t.Errorf("message id %q", got)
			}
			if (a.header.Get("Retry-After") != "") != (tc.err != nil) {
				t.Errorf("Retry-After %q", a.header.Get("Retry-After"))
			}
			if b := e.bodies(); len(b) != 1 || b[0] != tc.body {
				t.Errorf("%d bodies: %q", len(b), b)
			}
		})
	}
}

func TestEnvelopes(t *testing.T) {
	e := newEngine(t)
	r := serve(t, e, anyPort, nil)
	c := caller(t, nil)
	post(t, c, r.url(), er7, strings.NewReader(adt("1")))
	post(t, c, r.url(), "application/xml", strings.NewReader("<a/>"))
	post(t, c, r.url(), er7, strings.NewReader(""))
	post(t, c, r.url(), er7, strings.NewReader("PID|1"))
	r.stop()
	want := []struct {
		format  message.Format
		problem string
	}{{message.HL7, ""}, {message.XML, ""}, {message.HL7, "the request has no body"}, {message.HL7, "no MSH segment can be read"}}
	for i, env := range e.envelopes() {
		if env.Format != want[i].format || env.Problem != want[i].problem || env.Source != "poct" || !strings.HasPrefix(env.Remote, "127.0.0.1:") ||
			env.Received.IsZero() || env.Origin != "" {
			t.Errorf("%d: %+v", i, env)
		}
	}
	if n := e.counts.get("connections"); n != 1 {
		t.Errorf("%d connections: the first was not used again", n)
	}
}

// unread fails the test when a byte of a body that nobody may read is read.
type unread struct{ t testing.TB }

func (u unread) Read([]byte) (int, error) {
	u.t.Error("the body was read")
	return 0, io.EOF
}

type recorder struct {
	header http.Header
	status int
	bytes.Buffer
}

func (r *recorder) Header() http.Header { return r.header }
func (r *recorder) WriteHeader(s int)   { r.status = s }

// Everything that is refused is refused before a byte of the body is read.
func TestRefusedUnread(t *testing.T) {
	files := map[string]string{"token": goodToken}
	const door = `{ listen: "127.0.0.1:0", path: /results, bearer: "${file:token}", max_message: 1KiB, gzip: false }`
	bearer := "Bearer " + goodToken
	for _, tc := range []struct {
		name, method, path string
		headers            []string
		length             int64
		status             int
		answer             string // a header of the answer
		counter            string
	}{
		{"no token", "POST", "/results", nil, 10, 401, `Www-Authenticate: Bearer realm="messages"`, "refused_token"},
		{"wrong token", "POST", "/results", []string{"Authorization", "Bearer " + nextToken}, 10, 401, "Www-Authenticate", "refused_token"},
		{"empty token", "POST", "/results", []string{"Authorization", "Bearer "}, 10, 401, "Www-Authenticate", "refused_token"},
		{"another scheme", "POST", "/results", []string{"Authorization", "Basic " + goodToken}, 10, 401, "Www-Authenticate", "refused_token"},
		{"two headers", "POST", "/results", []string{"Authorization", bearer, "Authorization", bearer}, 10, 401, "Www-Authenticate", "refused_token"},
		{"no token, no path either", "GET", "/", nil, 0, 401, "Www-Authenticate", "refused_token"},
		{"another path", "POST", "/results/", []string{"Authorization", bearer}, 10, 404, "", "refused_request"},
		{"a path in disguise", "POST", "/%72esults", []string{"Authorization", bearer}, 10, 404, "", "refused_request"},
		{"GET", "GET", "/results", []string{"Authorization", bearer}, 0, 405, "Allow: POST", "refused_request"},
		{"PUT", "PUT", "/results", []string{"Authorization", bearer, "Content-Type", er7}, 10, 405, "Allow: POST", "refused_request"},
		{"no type", "POST", "/results", []string{"Authorization", bearer}, 10, 415, "Accept: application/hl7-v2", "refused_media"},
		{"another type", "POST", "/results", []string{"Authorization", bearer, "Content-Type", "application/json"}, 10, 415, "Accept: application/hl7-v2", "refused_media"},
		{"a type that is none", "POST", "/results", []string{"Authorization", bearer, "Content-Type", "application/hl7-v2; charset"}, 10, 415, "Accept", "refused_media"},
		{"gzip", "POST", "/results", []string{"Authorization", bearer, "Content-Type", er7, "Content-Encoding", "gzip"}, 10, 415, "Accept-Encoding: identity", "refused_media"},
		{"br", "POST", "/results", []string{"Authorization", bearer, "Content-Type", er7, "Content-Encoding", "br"}, 10, 415, "Accept-Encoding", "refused_media"},
		{"too long", "POST", "/results", []string{"Authorization", bearer, "Content-Type", er7}, 1025, 413, "", "too_large"},
		{"empty idempotency key", "POST", "/results", []string{"Authorization", bearer, "Content-Type", er7, "Idempotency-Key", " "}, 10, 400, "", "refused_request"},
		{"two idempotency keys", "POST", "/results", []string{"Authorization", bearer, "Content-Type", er7, "Idempotency-Key", "a", "Idempotency-Key", "b"}, 10, 400, "", "refused_request"},
		{"a long idempotency key", "POST", "/results", []string{"Authorization", bearer, "Content-Type", er7, "Idempotency-Key", strings.Repeat("k", 256)}, 10, 400, "", "refused_request"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			e := newEngine(t)
			r := serve(t, e, door, files)
			req, err := http.NewRequest(tc.method, r.url(), nil)
			if err != nil {
				t.Fatal(err)
			}
			if req.URL, err = req.URL.Parse(tc.path); err != nil {
				t.Fatal(err)
			}
			for i := 0; i+1 < len(tc.headers); i += 2 {
				req.Header.Add(tc.headers[i], tc.headers[i+1])
			}
			req.RemoteAddr = "127.0.0.1:5"

			// Without a socket: the handler reads nothing.
			w := &recorder{header: http.Header{}}
			inner := req.Clone(t.Context())
			inner.Body, inner.ContentLength = io.NopCloser(unread{t}), tc.length
			r.s.ServeHTTP(w, inner)
			if w.status != tc.status {
				t.Errorf("status %d, want %d: %s", w.status, tc.status, w.String())
			}

			// With one: the answer comes although not a byte of the body is ever sent,
			// and the connection ends.
			c := dialTCP(t, r.s.Addr())
			fmt.Fprintf(c, "%s %s HTTP/1.1\r\nHost: poct\r\nContent-Length: %d\r\n", tc.method, tc.path, tc.length)
			req.Header.Write(c)
			io.WriteString(c, "\r\n")
			resp, err := http.ReadResponse(bufio.NewReader(c), req)
			if err != nil {
				t.Fatal(err)
			}
			text, err := io.ReadAll(resp.Body)
			if err != nil || resp.StatusCode != tc.status || !resp.Close || len(text) == 0 {
				t.Errorf("status %d, close %t, %q, %v", resp.StatusCode, resp.Close, text, err)
			}
			var all bytes.Buffer
			resp.Header.Write(&all)
			if !strings.Contains(all.String(), tc.answer) {
				t.Errorf("headers %q, want %q", all.String(), tc.answer)
			}
			if n := e.counts.get(tc.counter); n != 2 {
				t.Errorf("%s = %d", tc.counter, n)
			}
			if len(e.envelopes()) != 0 {
				t.Error("the engine was asked")
			}
		})
	}
}

func TestTokens(t *testing.T) {
	e := newEngine(t)
	r := serve(t, e, `{ listen: "127.0.0.1:0", bearer: "${file:tokens}" }`, keys(t))
	for _, value := range []string{"Bearer " + goodToken, "bearer " + nextToken, "BEARER  " + goodToken} {
		if a := post(t, caller(t, nil), r.url(), er7, strings.NewReader(adt("1")), "Authorization", value); a.status != 200 {
			t.Errorf("%q: %d", value[:7], a.status)
		}
	}
}

func TestAllowFrom(t *testing.T) {
	e := newEngine(t)
	r := serve(t, e, `{ listen: "127.0.0.1:0", allow_from: 10.20.0.0/16 }`, nil)
	c := dialTCP(t, r.s.Addr())
	io.WriteString(c, "POST / HTTP/1.1\r\n")
	if b, _ := io.ReadAll(c); len(b) != 0 {
		t.Errorf("a stranger was told %q", b)
	}
	r.counts.wait("refused_address", 1)
	ok := serve(t, newEngine(t), `{ listen: "127.0.0.1:0", allow_from: [10.20.0.0/16, 127.0.0.1] }`, nil)
	if a := post(t, caller(t, nil), ok.url(), er7, strings.NewReader(adt("1"))); a.status != 200 {
		t.Errorf("status %d", a.status)
	}
}

func TestLimits(t *testing.T) {
	t.Run("connections", func(t *testing.T) {
		r := serve(t, newEngine(t), `{ listen: "127.0.0.1:0", max_connections: 1, max_connections_per_peer: 1 }`, nil)
		first := dialTCP(t, r.s.Addr())
		r.counts.wait("connections", 1)
		second := dialTCP(t, r.s.Addr())
		if b, _ := io.ReadAll(second); len(b) != 0 {
			t.Errorf("told %q", b)
		}
		r.counts.wait("refused_limit", 1)
		first.Close()
		r.counts.wait("connections_closed", 1)
		if a := post(t, caller(t, nil), r.url(), er7, strings.NewReader(adt("1"))); a.status != 200 {
			t.Errorf("who leaves makes room: %d", a.status)
		}
	})
	t.Run("requests", func(t *testing.T) {
		e := newEngine(t)
		entered, leave := make(chan struct{}), make(chan struct{})
		e.decide = func(*message.Envelope) (message.Receipt, error) {
			close(entered)
			<-leave
			return aa(), nil
		}
		r := serve(t, e, `{ listen: "127.0.0.1:0", max_requests: 1 }`, nil)
		done := later(t, caller(t, nil), r.url())
		<-entered
		if a := post(t, caller(t, nil), r.url(), er7, strings.NewReader(adt("2"))); a.status != 503 || a.header.Get("Retry-After") == "" {
			t.Errorf("status %d", a.status)
		}
		close(leave)
		if a := <-done; a.status != 200 {
			t.Errorf("the one in hand: %d", a.status)
		}
		if r.counts.get("refused_busy") != 1 {
			t.Error("not counted")
		}
	})
	t.Run("headers", func(t *testing.T) {
		r := serve(t, newEngine(t), `{ listen: "127.0.0.1:0", max_header: 1KiB }`, nil)
		if a := post(t, caller(t, nil), r.url(), er7, strings.NewReader(adt("1")), "X-Long", strings.Repeat("x", 16<<10)); a.status != 431 {
			t.Errorf("status %d", a.status)
		}
	})
}

func TestIdempotency(t *testing.T) {
	e := newEngine(t)
	var n atomic.Int32
	e.decide = func(*message.Envelope) (message.Receipt, error) {
		r := aa()
		r.Duplicate = n.Add(1) == 2
		return r, nil
	}
	r := serve(t, e, anyPort, nil)
	c := caller(t, nil)
	var again []string
	for _, tc := range []struct{ key, body string }{{"k1", adt("1")}, {"k1", adt("1")}, {"k2", adt("1")}, {"k1", adt("2")}, {"", adt("1")}} {
		var h []string
		if tc.key != "" {
			h = []string{"Idempotency-Key", tc.key}
		}
		again = append(again, post(t, c, r.url(), er7, strings.NewReader(tc.body), h...).header.Get("Spine-Duplicate"))
	}
	var o []string
	for _, env := range e.envelopes() {
		o = append(o, env.Origin)
	}
	if !strings.HasPrefix(o[0], "http:poct:") || len(o[0]) != len("http:poct:")+64 {
		t.Errorf("origin %q", o[0])
	}
	if o[0] != o[1] || o[0] == o[2] || o[0] == o[3] || o[4] != "" {
		t.Errorf("origins %q: the same key and body are a repeat, nothing else is", o)
	}
	if again[0] != "" || again[1] != "true" {
		t.Errorf("duplicates told: %q", again)
	}
}

func TestPanicIsAnswered(t *testing.T) {
	e := newEngine(t)
	e.decide = func(*message.Envelope) (message.Receipt, error) { panic(canary) }
	r := serve(t, e, anyPort, nil)
	if a := post(t, caller(t, nil), r.url(), er7, strings.NewReader(adt("1"))); a.status != 503 {
		t.Errorf("status %d", a.status)
	}
	if e.counts.get("panics") != 1 {
		t.Error("not counted")
	}
}

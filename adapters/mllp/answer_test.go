package mllp

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/message"
)

func reply(code string) func(*message.Envelope) (message.Receipt, error) {
	return func(*message.Envelope) (message.Receipt, error) {
		return message.Receipt{Outcome: message.Routed, Reply: message.Reply{Code: code}}, nil
	}
}

func fails(err error) func(*message.Envelope) (message.Receipt, error) {
	return func(*message.Envelope) (message.Receipt, error) { return message.Receipt{}, err }
}

func TestAnswers(t *testing.T) {
	rejected := func(*message.Envelope) (message.Receipt, error) {
		return message.Receipt{Outcome: message.Rejected, Reply: message.Reply{Code: "AE", Text: "no hospital number",
			Errors: []message.ReplyError{{Location: "PID-3", Code: "101", Text: "no hospital number"}}}}, nil
	}
	cases := []struct {
		name   string
		always bool
		send   string
		decide func(*message.Envelope) (message.Receipt, error)
		want   string // MSA-1 and MSA-2; "" = nothing comes and the connection stays; "closed" = it is closed
		err    string // a part of ERR
	}{
		{"stored", false, adt("1"), reply("AA"), "AA 1", ""},
		{"the engine's code is not judged", false, adt("1"), reply("CR"), "CR 1", ""},
		{"rejected with a place", false, adt("1"), rejected, "AE 1", "PID^1^3|101^no hospital number"},
		{"a control id of blanks and signs", false, adt(" 1&2~\xE4 "), reply("AA"), "AA  1&2~\xE4 ", ""},
		{"no control id", false, adt(""), reply("AA"), "AA ", ""},
		{"none is due", false, adtWith("1", "|||NE|NE"), reply(""), "", ""},
		{"none is due, but answered always", true, adtWith("1", "|||NE|NE"), reply(""), "AA 1", ""},
		{"an acknowledgement is never answered", true, strings.Replace(adtWith("1", "|||NE|NE"), "ADT^A01^ADT_A01", "ACK^A01", 1), reply(""), "", ""},
		{"a response is never answered", true, strings.Replace(adtWith("1", "|||NE|NE"), "EVN|", "MSA|AA|9\rEVN|", 1), reply(""), "", ""},
		{"not stored", false, adt("1"), fails(errors.New("disk")), "AE 1", "207^not stored, send again"},
		{"busy", false, adt("1"), fails(fmt.Errorf("engine: %w", adapters.ErrBusy)), "AE 1", "207^not stored, send again"},
		{"not stored, enhanced mode", false, adtWith("1", "|||AL|NE"), fails(errors.New("disk")), "CE 1", "207"},
		{"not stored, no answer wanted", false, adtWith("1", "|||NE|NE"), fails(errors.New("disk")), "", ""},
		{"not stored, no answer wanted, answered always", true, adtWith("1", "|||NE|NE"), fails(errors.New("disk")), "AE 1", "207"},
		{"an acknowledgement that is not stored", false, "MSH|^~\\&|A|B|C|D|2026||ACK|1|P|2.4\rMSA|AA|7\r", fails(errors.New("disk")), "", ""},
		{"no MSH, a fixed answer", false, "PID|1\r", reply("AR"), "AR ", ""},
		{"no MSH, no answer", false, "PID|1\r", reply(""), "closed", ""},
		{"no MSH, not stored", false, "PID|1\r", fails(errors.New("disk")), "closed", ""},
		{"XML, no answer", false, "<x/>", reply(""), "", ""},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			e := newEngine(t)
			e.decide = func(env *message.Envelope) (message.Receipt, error) {
				if b, _ := env.Body.Bytes(); field(string(b), "MSH", 10) == "next" {
					return aa(), nil
				}
				return tc.decide(env)
			}
			r := serve(t, e, fmt.Sprintf(`{ listen: "127.0.0.1:0", answer_always: %t }`, tc.always), nil)
			c := dialTCP(t, r.l.Addr())
			send(t, c, frame(tc.send))
			if tc.want == "closed" {
				if s, err := readFrame(c); err != io.EOF || s != "" {
					t.Fatalf("got %q, %v; want a closed connection", s, err)
				}
				return
			}
			if tc.want != "" {
				a := answer(t, c)
				if msa(a) != tc.want || !strings.Contains(a, tc.err) || tc.err != "" && !strings.Contains(a, "\rERR|") {
					t.Errorf("answer %q, want %q with %q", a, tc.want, tc.err)
				}
			}
			// The connection lives on, and nothing else was sent on it.
			send(t, c, frame(adt("next")))
			if a := answer(t, c); msa(a) != "AA next" {
				t.Errorf("next answer %q", a)
			}
		})
	}
}

func TestAnswerIsOneMessageOfItsOwn(t *testing.T) {
	r := serve(t, newEngine(t), anyPort, nil)
	c := dialTCP(t, r.l.Addr())
	ids := map[string]bool{}
	for range 500 {
		send(t, c, frame(adt("1")))
		a := answer(t, c)
		id := field(a, "MSH", 10)
		if id == "" || len(id) > 20 || ids[id] {
			t.Fatalf("control id %q of an answer is empty, too long or not unique", id)
		}
		ids[id] = true
		if field(a, "MSH", 3) != "SPINE" || field(a, "MSH", 5) != "PAS" || field(a, "MSH", 9) != "ACK^A01^ACK" {
			t.Fatalf("answer %q", a)
		}
		if _, err := time.Parse("20060102150405-0700", field(a, "MSH", 7)); err != nil {
			t.Fatalf("MSH-7: %v", err)
		}
	}
}

// writes records each write to a connection.
type writes struct {
	pipeEnd
	sizes chan string
}

func (w writes) Write(b []byte) (int, error) {
	w.sizes <- string(b)
	return len(b), nil
}

// Peers that read once break on an answer in two pieces.
func TestAnswerIsOneWrite(t *testing.T) {
	p, e := newPipes(), newEngine(t)
	run(t, e, newListener(listenConf(t, anyPort, nil), e.env(), p))
	a, b := pipe()
	w := writes{b, make(chan string, 4)}
	p.conns <- w
	send(t, a, frame(adt("1")))
	got := <-w.sizes
	a.Close()
	e.counts.wait("connections_closed", 1)
	if !strings.HasPrefix(got, "\x0BMSH|") || !strings.HasSuffix(got, "\r\x1C\r") || len(w.sizes) != 0 {
		t.Errorf("first write %q, %d more", got, len(w.sizes))
	}
}

// A message is answered before the next is handed over, though it has long come.
func TestOrderOnOneConnection(t *testing.T) {
	e := newEngine(t)
	enter, leave := make(chan string), make(chan struct{})
	e.decide = func(env *message.Envelope) (message.Receipt, error) {
		b, _ := env.Body.Bytes()
		enter <- field(string(b), "MSH", 10)
		<-leave
		return aa(), nil
	}
	r := serve(t, e, anyPort, nil)
	c := dialTCP(t, r.l.Addr())
	send(t, c, frame(adt("1"))+frame(adt("2")))
	for _, id := range []string{"1", "2"} {
		if got := <-enter; got != id {
			t.Fatalf("message %s in hand, want %s", got, id)
		}
		if n := len(e.envelopes()); fmt.Sprint(n) != id {
			t.Fatalf("%d messages handed over while %s is in hand", n, id)
		}
		leave <- struct{}{}
		if a := answer(t, c); msa(a) != "AA "+id {
			t.Fatalf("answer %q", a)
		}
	}
}

func TestPipelined(t *testing.T) {
	const n = 10_000
	r := serve(t, newEngine(t), anyPort, nil)
	c := dialTCP(t, r.l.Addr())
	written := make(chan error, 1)
	go func() { // nothing is read before all is written, unless the buffers fill
		var all strings.Builder
		for i := range n {
			all.WriteString(frame(adt(fmt.Sprint(i))))
		}
		_, err := io.WriteString(c, all.String())
		written <- err
	}()
	r.counts.wait("messages", 1)
	br := &oneByte{r: c}
	for i := range n {
		if a := answer(t, br); msa(a) != fmt.Sprintf("AA %d", i) {
			t.Fatalf("answer %d is %q", i, a)
		}
	}
	if err := <-written; err != nil {
		t.Fatal(err)
	}
	if got := r.counts.get("messages"); got != n {
		t.Errorf("%d messages", got)
	}
}

func TestPanicClosesOneConnectionOnly(t *testing.T) {
	e := newEngine(t)
	e.decide = func(env *message.Envelope) (message.Receipt, error) {
		if b, _ := env.Body.Bytes(); field(string(b), "MSH", 10) == "bad" {
			panic(canary + string(b))
		}
		return aa(), nil
	}
	r := serve(t, e, anyPort, nil)
	good, bad := dialTCP(t, r.l.Addr()), dialTCP(t, r.l.Addr())
	send(t, bad, frame(adt("bad")))
	if s, err := readFrame(bad); err != io.EOF || s != "" {
		t.Errorf("after a panic: %q, %v", s, err)
	}
	send(t, good, frame(adt("1")))
	if a := answer(t, good); msa(a) != "AA 1" || e.counts.get("panics") != 1 {
		t.Errorf("answer %q, %d panics", a, e.counts.get("panics"))
	}
}

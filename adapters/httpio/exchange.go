package httpio

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"runtime/debug"
	"strconv"
	"time"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
)

// lingerFor is how long a sender that was refused while it sends may take to read
// the answer. A socket closed with unread bytes in it is reset, and the answer
// may be lost with it.
const lingerFor = time.Second

// exchange is one request and its answer.
type exchange struct {
	s      *source
	w      http.ResponseWriter
	r      *http.Request
	rc     *http.ResponseController
	media  media
	origin string
	until  time.Time // when the body must be whole

	header   *hl7.Header // of an ER7 message; nil when there is none to be read
	answered bool
}

// refusal is an answer without the engine. Nothing is stored.
type refusal struct {
	status  int
	counter string
	text    string // for a person at the sender's side; never content
	name    string // of a header that goes with it
	value   string
}

// retryAfter is what a sender is told to wait, in seconds.
const retryAfter = "10"

// ServeHTTP takes one request: who may it, what is it, store it, answer.
func (s *source) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := &exchange{s: s, w: w, r: r, rc: http.NewResponseController(w)}
	if !s.enter() {
		x.refuse(&refusal{http.StatusServiceUnavailable, "refused_stopping", "stopping, send again", "Retry-After", retryAfter})
		return
	}
	defer s.wg.Done()
	defer x.survive()
	if no := x.admit(); no != nil {
		x.refuse(no)
		return
	}
	select {
	case s.slots <- struct{}{}:
		defer func() { <-s.slots }()
		x.take()
	default:
		x.refuse(&refusal{http.StatusServiceUnavailable, "refused_busy", "too many requests at once, send again", "Retry-After", "1"})
	}
}

// admit looks at everything but the body, who it is first: to anybody else there
// is no difference between a path that exists and one that does not.
func (x *exchange) admit() *refusal {
	c, r := x.s.cfg, x.r
	var ok bool
	switch {
	case len(c.tokens) > 0 && !c.tokens.allow(r.Header):
		return &refusal{http.StatusUnauthorized, "refused_token", "a valid bearer token is needed", "WWW-Authenticate", `Bearer realm="messages"`}
	case r.URL.Path != c.path || r.URL.RawPath != "":
		return &refusal{status: http.StatusNotFound, counter: "refused_request", text: "nothing is served here"}
	case r.Method != http.MethodPost:
		return &refusal{http.StatusMethodNotAllowed, "refused_request", "messages come by POST", "Allow", http.MethodPost}
	}
	if x.media, ok = parseMedia(r.Header.Get("Content-Type")); !ok {
		return &refusal{http.StatusUnsupportedMediaType, "refused_media", "Content-Type must be one of " + taken, "Accept", taken}
	}
	if no := x.admitCoding(); no != nil {
		return no
	}
	if r.ContentLength > c.maxMessage {
		return x.tooLarge()
	}
	return x.readOrigin()
}

// admitCoding: a body is as it is, or gzip where that is allowed.
func (x *exchange) admitCoding() *refusal {
	switch x.coding() {
	case "", "identity":
		return nil
	case "gzip":
		if x.s.cfg.gzip {
			return nil
		}
	}
	name := "identity"
	if x.s.cfg.gzip {
		name = "gzip, identity"
	}
	return &refusal{http.StatusUnsupportedMediaType, "refused_media", "Content-Encoding must be one of " + name, "Accept-Encoding", name}
}

func (x *exchange) tooLarge() *refusal {
	return &refusal{status: http.StatusRequestEntityTooLarge, counter: "too_large",
		text: fmt.Sprintf("a message may have %d bytes", x.s.cfg.maxMessage)}
}

// take reads the body, hands it over, and answers.
func (x *exchange) take() {
	env, err := x.receive()
	if err != nil {
		x.refuse(x.unread(err))
		return
	}
	x.s.env.Count("messages", 1)
	// The sender may go away now; what it has sent whole is finished.
	receipt, err := x.s.accept(context.WithoutCancel(x.r.Context()), env)
	if err != nil {
		x.notStored(env.Body.Size(), err)
		return
	}
	x.answer(env.Format, receipt)
}

// unread turns a fault of reading the body into the answer to it.
func (x *exchange) unread(err error) *refusal {
	again := &refusal{http.StatusServiceUnavailable, "not_stored", "not stored, send again", "Retry-After", retryAfter}
	switch f := (*bodyFault)(nil); {
	case !errors.As(err, &f):
		x.say("not_stored", func(e *zerolog.Event) { e.Err(err).Msg("message not stored; the sender is asked to send it again") })
		return again
	case f.kind == bodyTooLarge:
		return x.tooLarge()
	case f.kind == bodyBomb:
		return &refusal{status: http.StatusRequestEntityTooLarge, counter: "too_large", text: fmt.Sprintf("gzip may not inflate a body more than %d times", maxRatio)}
	case f.kind == bodyBroken:
		return &refusal{status: http.StatusBadRequest, counter: "body_broken", text: "the body is not one whole gzip stream"}
	case f.kind == bodyLate && x.s.isStopping():
		again.counter = "refused_stopping"
		return again
	case f.kind == bodyLate:
		return &refusal{status: http.StatusRequestTimeout, counter: "body_late", text: "the body did not arrive within " + x.s.cfg.bodyTimeout.String()}
	}
	return &refusal{status: http.StatusBadRequest, counter: "body_cut", text: "the body ended early"}
}

// refuse answers without having read the body, and ends the connection.
func (x *exchange) refuse(no *refusal) {
	x.s.env.Count(no.counter, 1)
	x.say(no.counter, func(e *zerolog.Event) {
		e.Int("status", no.status).Int64("content_length", x.r.ContentLength).Str("answer", no.text).Msg("request refused")
	})
	if no.name != "" {
		x.w.Header().Set(no.name, no.value)
	}
	x.w.Header().Set("Connection", "close")
	x.rc.SetReadDeadline(time.Now().Add(lingerFor)) // a failure shows at the read
	x.write(no.status, "text/plain; charset=utf-8", []byte(no.text+"\n"))
}

// notStored tells the sender to come again: nothing of its message is kept.
func (x *exchange) notStored(size int64, err error) {
	x.s.env.Count("not_stored", 1)
	x.say("not_stored", func(e *zerolog.Event) {
		e.Err(err).Int64("bytes", size).Bool("busy", errors.Is(err, adapters.ErrBusy)).Msg("message not stored; the sender is asked to send it again")
	})
	x.w.Header().Set("Retry-After", retryAfter)
	why := message.ReplyError{Code: "207", Text: "not stored, send again"}
	reply := message.Reply{Code: x.errorCode(), Text: why.Text, Errors: []message.ReplyError{why}}
	body, ctype := x.spell("", reply)
	if body == nil {
		body, ctype = []byte(why.Text+"\n"), "text/plain; charset=utf-8"
	}
	x.write(http.StatusServiceUnavailable, ctype, body)
}

// write sends the whole answer.
func (x *exchange) write(status int, ctype string, body []byte) {
	x.answered = true
	h := x.w.Header()
	h.Set("Cache-Control", "no-store")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Content-Length", strconv.Itoa(len(body)))
	if len(body) > 0 {
		h.Set("Content-Type", ctype)
	}
	x.rc.SetWriteDeadline(time.Now().Add(x.s.cfg.bodyTimeout)) // a failure shows at the write
	x.w.WriteHeader(status)
	_, err := x.w.Write(body)
	if err == nil {
		err = x.rc.Flush()
	}
	if err != nil && !errors.Is(err, http.ErrBodyNotAllowed) && !errors.Is(err, http.ErrNotSupported) {
		x.s.env.Count("answer_failed", 1)
		x.s.log.Debug().Str("remote", x.r.RemoteAddr).Msg("the answer could not be written")
		return
	}
	x.s.env.Count("answers", 1)
}

// survive keeps a fault of ours from ending the process. The value of the panic
// could be anything, so only its type is told.
func (x *exchange) survive() {
	p := recover()
	if p == nil {
		return
	}
	x.s.env.Count("panics", 1)
	x.s.log.Error().Str("remote", x.r.RemoteAddr).Str("type", fmt.Sprintf("%T", p)).Bytes("stack", debug.Stack()).
		Msg("panic while serving a request; what was not acknowledged comes again")
	if !x.answered {
		x.refuse(&refusal{http.StatusServiceUnavailable, "not_stored", "not stored, send again", "Retry-After", retryAfter})
	}
}

func (x *exchange) say(what string, say func(*zerolog.Event)) {
	at, _ := netip.ParseAddrPort(x.r.RemoteAddr)
	x.s.warn(at.Addr().Unmap().WithZone(""), what, func(e *zerolog.Event) { say(e.Str("remote", x.r.RemoteAddr)) })
}

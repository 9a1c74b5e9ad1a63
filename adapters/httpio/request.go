package httpio

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/message"
)

const maxRedirects = 3

// errSilent is the cause of a context that ended because nothing moved any more.
var errSilent = errors.New("nothing came in time")

// attempt is one copy under way, over all redirects.
type attempt struct {
	s      *sender
	d      *message.Delivery
	up     *upload
	header http.Header
	ctx    context.Context
	clock  *time.Timer // ends ctx when nothing moves

	written atomic.Bool // the whole request has left
	heard   atomic.Bool // a byte of an answer has come
}

func (s *sender) exchange(ctx context.Context, view message.View, d *message.Delivery) (adapters.Reply, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	a := &attempt{s: s, d: d, header: s.header(view, d)}
	// Finding a connection is bounded by connect_timeout; this is for a transport
	// that finds none.
	a.clock = time.AfterFunc(2*s.cfg.connectTimeout+s.cfg.replyTimeout, func() { cancel(errSilent) })
	defer a.clock.Stop()
	a.up = &upload{runs: view.Runs, progress: a.moved}
	defer a.up.close()
	a.ctx = httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		GotConn:              func(httptrace.GotConnInfo) { a.written.Store(false); a.moved() },
		WroteRequest:         func(i httptrace.WroteRequestInfo) { a.written.Store(i.Err == nil); a.moved() },
		GotFirstResponseByte: func() { a.heard.Store(true) },
	})
	reply, err := a.run()
	s.tell(reply, err)
	return reply, err
}

// moved gives the other side reply_timeout from now: while a body goes out, every
// piece of it has that long; after it, the whole answer.
func (a *attempt) moved() {
	if a.ctx.Err() == nil {
		a.clock.Reset(a.s.cfg.replyTimeout)
	}
}

func (a *attempt) run() (adapters.Reply, error) {
	to := a.s.cfg.url
	for hops := 0; ; hops++ {
		resp, err := a.s.transport.RoundTrip(a.request(to))
		if err != nil {
			return a.failed(err)
		}
		next := a.redirect(to, resp)
		if next == nil || hops == maxRedirects {
			return a.judge(resp)
		}
		a.s.env.Count("redirects", 1)
		drop(resp.Body)
		to = next
	}
}

func (a *attempt) request(to *url.URL) *http.Request {
	r := &http.Request{Method: a.s.cfg.method, URL: to, Host: to.Host, Header: a.header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: http.NoBody}
	if size := a.d.Body.Size(); size > 0 {
		r.ContentLength, r.GetBody = size, a.up.open
		r.Body, _ = a.up.open() // it has no error
	}
	a.written.Store(false)
	a.heard.Store(false)
	return r.WithContext(a.ctx)
}

// redirect gives the address to go on with, nil when the answer stands. Only 307
// and 308 keep method and body; only the same scheme, host and port are "same".
func (a *attempt) redirect(from *url.URL, resp *http.Response) *url.URL {
	if !a.s.cfg.follow || resp.StatusCode != http.StatusTemporaryRedirect && resp.StatusCode != http.StatusPermanentRedirect {
		return nil
	}
	to, err := from.Parse(resp.Header.Get("Location"))
	if err != nil || to.User != nil || to.Scheme != from.Scheme || !strings.EqualFold(hostPort(to), hostPort(from)) {
		return nil
	}
	to.Fragment, to.RawFragment = "", ""
	return to
}

// drop reads a little of what is not wanted, so that the connection can be used
// again.
func drop(body io.ReadCloser) {
	io.CopyN(io.Discard, body, 4<<10)
	body.Close() // nothing of it is needed
}

// failed turns the transport's error into a reply, or an error where there is
// nothing to judge.
func (a *attempt) failed(err error) (adapters.Reply, error) {
	silent := errors.Is(context.Cause(a.ctx), errSilent)
	switch {
	case silent && a.written.Load():
		return adapters.Reply{Code: adapters.NoReply, Text: fmt.Sprintf("no answer within %s", a.s.cfg.replyTimeout)}, nil
	case silent:
		return adapters.Reply{}, fmt.Errorf("the other side took nothing within %s", a.s.cfg.replyTimeout)
	case a.ctx.Err() != nil:
		return adapters.Reply{}, a.ctx.Err()
	}
	return harmless(err, a.heard.Load())
}

func (s *sender) tell(r adapters.Reply, err error) {
	switch {
	case err != nil:
		s.env.Count("failed", 1)
	case r.Code == adapters.NoReply:
		s.env.Count("no_reply", 1)
		s.log.Warn().Dur("waited", s.cfg.replyTimeout).Msg("no answer in time; the connection is closed")
	case r.Code == adapters.WrongID:
		s.env.Count("wrong_id", 1)
		s.log.Warn().Msg("the answer acknowledges another message: its MSA-2 is not our MSH-10")
	case r.Code == adapters.Unreadable:
		s.env.Count("unreadable", 1)
		s.log.Warn().Msg("the answer cannot be read")
	default:
		s.env.Count("answers", 1)
	}
}

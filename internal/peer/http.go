package peer

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
)

// Media types of what is posted (HL7 over HTTP, section 2.4; RFC 7303).
const (
	TypeER7 = "application/hl7-v2"
	TypeXML = "application/xml"
)

// TypeOf guesses the media type of a body by its first bytes: XML begins with <,
// whatever stands before it of blanks and byte order marks.
func TypeOf(body []byte) string {
	b := bytes.TrimLeft(bytes.TrimPrefix(body, []byte("\xef\xbb\xbf")), " \t\r\n")
	if bytes.HasPrefix(b, []byte("<")) {
		return TypeXML
	}
	return TypeER7
}

// maxPosted bounds a body and an answer in bytes.
const maxPosted = 1 << 30

// Posted is the answer to one message that was posted.
type Posted struct {
	Status int    // of HTTP
	Code   string // MSA-1, or the code of an XML acknowledgement; "" when the answer has none
	ToID   string // MSA-2
	Text   string // MSA-3, or the first error's
	Body   []byte
}

// Poster sends messages by HTTP POST.
type Poster struct {
	URL    string
	Bearer string // token; "" = none
	client *http.Client
}

// NewPoster makes one for a URL; timeout bounds each message with its answer. It
// follows no redirect: a message goes where it was sent or nowhere.
func NewPoster(url string, tc *tls.Config, bearer string, timeout time.Duration) *Poster {
	t := &http.Transport{TLSClientConfig: tc, Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true}
	return &Poster{URL: url, Bearer: bearer, client: &http.Client{Transport: t, Timeout: timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
}

// Close ends idle connections.
func (p *Poster) Close() { p.client.CloseIdleConnections() }

// Post sends one body and reads the answer. An answer with any status is no error.
func (p *Poster) Post(ctx context.Context, body []byte, mediaType string) (Posted, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, p.URL, bytes.NewReader(body))
	if err != nil {
		return Posted{}, fmt.Errorf("posting: %w", err)
	}
	req.Header.Set("Content-Type", mediaType)
	if p.Bearer != "" {
		req.Header.Set("Authorization", "Bearer "+p.Bearer)
	}
	resp, err := p.client.Do(req)
	if err != nil {
		return Posted{}, fmt.Errorf("posting: %w", err)
	}
	defer resp.Body.Close()
	out := Posted{Status: resp.StatusCode}
	if out.Body, err = io.ReadAll(io.LimitReader(resp.Body, maxPosted)); err != nil {
		return out, fmt.Errorf("reading the answer: %w", err)
	}
	out.read()
	return out, nil
}

// read takes the acknowledgement out of the answer, if it carries one.
func (p *Posted) read() {
	if TypeOf(p.Body) == TypeXML {
		p.readXML()
		return
	}
	if r, err := hl7.ParseAck(p.Body); err == nil {
		p.Code, p.ToID, p.Text = r.Code, r.ControlID, r.Text
		if p.Text == "" && len(r.Errors) > 0 {
			p.Text = r.Errors[0].Text
		}
	}
}

// HTTPServer takes messages by POST on any path and answers by its script: ER7 gets
// an acknowledgement and 200; XML gets <acknowledgement code="AA"/>, with 422 for
// a refusal.
type HTTPServer struct {
	Script *Script
	TLS    *tls.Config
	Bearer string // when set, what comes without it gets 401 and is not a message
	Saw    func(Seen)

	address string
	count   atomic.Uint64
	srv     *http.Server
	ended   chan error
	stopped chan struct{}
}

// NewHTTPServer makes one for host:port; port 0 takes any.
func NewHTTPServer(address string, acts ...Act) *HTTPServer {
	return &HTTPServer{Script: NewScript(acts...), address: address, stopped: make(chan struct{})}
}

// Start listens.
func (s *HTTPServer) Start() error {
	l, err := net.Listen("tcp", s.address)
	if err != nil {
		return fmt.Errorf("peer: %w", err)
	}
	s.address = l.Addr().String()
	l = refusing{Listener: l, s: s}
	if s.TLS != nil {
		l = tls.NewListener(l, s.TLS)
	}
	s.srv = &http.Server{Handler: http.HandlerFunc(s.take), ReadHeaderTimeout: 10 * time.Second}
	s.ended = make(chan error, 1)
	go func() { s.ended <- s.srv.Serve(l) }()
	return nil
}

// Address is host:port.
func (s *HTTPServer) Address() string { return s.address }

// Count is how many messages came.
func (s *HTTPServer) Count() int { return int(s.count.Load()) }

// Stop closes the port, ends every wait, lets answers that are being written go out,
// and closes every connection.
func (s *HTTPServer) Stop() error {
	close(s.stopped)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	err := s.srv.Shutdown(ctx)
	if err != nil {
		err = s.srv.Close()
	}
	if served := <-s.ended; !errors.Is(served, http.ErrServerClosed) {
		err = errors.Join(err, served)
	}
	return err
}

// refusing closes the connections that the script refuses.
type refusing struct {
	net.Listener
	s *HTTPServer
}

func (r refusing) Accept() (net.Conn, error) {
	for {
		conn, err := r.Listener.Accept()
		if err != nil {
			return nil, err
		}
		a, ok := r.s.Script.refuses()
		if !ok {
			return conn, nil
		}
		r.s.tell(conn.RemoteAddr().String(), hl7.Header{}, nil, a)
		reset(conn)
	}
}

func (s *HTTPServer) take(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "messages come by POST", http.StatusMethodNotAllowed)
		return
	}
	if s.Bearer != "" && r.Header.Get("Authorization") != "Bearer "+s.Bearer {
		w.Header().Set("WWW-Authenticate", "Bearer")
		http.Error(w, "a valid bearer token is needed", http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPosted))
	if err != nil {
		return // the sender went away, or sent without end
	}
	h, _ := hl7.ParseHeader(body) // XML has none
	a := s.Script.Next()
	n := s.count.Add(1)
	if !pause(a.Wait, s.stopped) {
		panic(http.ErrAbortHandler)
	}
	s.act(w, r, h, body, a, n)
}

func (s *HTTPServer) act(w http.ResponseWriter, r *http.Request, h hl7.Header, body []byte, a Act, n uint64) {
	switch {
	case a.Nothing:
		s.tell(r.RemoteAddr, h, body, a)
		select {
		case <-r.Context().Done():
		case <-s.stopped:
		}
		panic(http.ErrAbortHandler)
	case a.Close, a.Refuse:
		s.tell(r.RemoteAddr, h, body, a)
		panic(http.ErrAbortHandler) // the documented way to close without an answer
	}
	status, ctype, answer := spell(h, body, a, n)
	w.Header().Set("Content-Type", ctype)
	w.Header().Set("Content-Length", strconv.Itoa(len(answer)))
	w.WriteHeader(status)
	if _, err := w.Write(answer); err == nil {
		s.tell(r.RemoteAddr, h, body, a)
	}
}

// spell gives the status and the answer to a body.
func spell(h hl7.Header, body []byte, a Act, n uint64) (status int, ctype string, answer []byte) {
	status = http.StatusOK
	if TypeOf(body) == TypeXML {
		if code := a.code(); code != "AA" && code != "CA" {
			status = http.StatusUnprocessableEntity
		}
		ctype, answer = TypeXML+"; charset=utf-8", ackXML(a)
	} else {
		if a.WrongID {
			h.ControlID = wrongID
		}
		ctype = TypeER7
		answer = hl7.BuildAck(h, hl7.Ack{Code: a.code(), Text: a.Text}, time.Now(), "PEER"+strconv.FormatUint(n, 10))
	}
	if a.Status != 0 {
		status = a.Status
	}
	return status, ctype, answer
}

func (s *HTTPServer) tell(remote string, h hl7.Header, body []byte, a Act) {
	if s.Saw == nil {
		return
	}
	said := a.said()
	if a.Status != 0 {
		said = strings.TrimSpace(said + " " + strconv.Itoa(a.Status))
	}
	s.Saw(Seen{At: time.Now(), Remote: remote, ControlID: h.ControlID, Type: h.Type, Event: h.Event, Size: len(body), Answered: said, Body: body})
}

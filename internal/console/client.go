package console

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/spine-engine/spine-engine/internal/engine"
)

// Client speaks the API.
type Client struct{ http *http.Client }

// Dial gives a client for the engine behind a Unix socket. dial connects to it.
func Dial(dial func(ctx context.Context) (net.Conn, error)) *Client {
	return &Client{&http.Client{Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) { return dial(ctx) }}}}
}

// Local gives a client for a handler in this process.
func Local(h http.Handler) *Client { return &Client{&http.Client{Transport: inProcess{h}}} }

type inProcess struct{ h http.Handler }

// RoundTrip serves the request at once. Bodies fit in memory: the largest is one
// message.
func (p inProcess) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body == nil {
		r.Body = http.NoBody
	}
	w := &answerBuffer{header: http.Header{}, code: http.StatusOK}
	p.h.ServeHTTP(w, r)
	return &http.Response{StatusCode: w.code, Status: http.StatusText(w.code), Header: w.header,
		Body: io.NopCloser(&w.body), ContentLength: int64(w.body.Len()), Request: r}, nil
}

// answerBuffer is an http.ResponseWriter in memory.
type answerBuffer struct {
	header http.Header
	code   int
	body   bytes.Buffer
}

func (a *answerBuffer) Header() http.Header         { return a.header }
func (a *answerBuffer) WriteHeader(code int)        { a.code = code }
func (a *answerBuffer) Write(p []byte) (int, error) { return a.body.Write(p) }

// Messages lists messages; params are those of the API.
func (c *Client) Messages(ctx context.Context, params url.Values) (out []Message, err error) {
	err = c.call(ctx, "GET", "/v1/messages?"+params.Encode(), nil, &out)
	return out, err
}

// Message shows one.
func (c *Client) Message(ctx context.Context, id string) (out Detail, err error) {
	err = c.call(ctx, "GET", "/v1/messages/"+url.PathEscape(id), nil, &out)
	return out, err
}

// Body writes the bytes of a message, or of one copy when key is not empty.
func (c *Client) Body(ctx context.Context, id, key string, w io.Writer) error {
	path := "/v1/messages/" + url.PathEscape(id) + "/body"
	if key != "" {
		path += "?copy=" + url.QueryEscape(key)
	}
	resp, err := c.do(ctx, "GET", path, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	_, err = io.Copy(w, resp.Body)
	return err
}

// ActOnMessage releases or discards a message.
func (c *Client) ActOnMessage(ctx context.Context, id, action string, o Order) (out Detail, err error) {
	err = c.call(ctx, "POST", "/v1/messages/"+url.PathEscape(id)+"/"+action, o, &out)
	return out, err
}

// ActOnCopy releases, resends or discards a copy; the answer holds its key.
func (c *Client) ActOnCopy(ctx context.Context, key, action string, o Order) (out map[string]string, err error) {
	err = c.call(ctx, "POST", "/v1/copies/"+url.PathEscape(key)+"/"+action, o, &out)
	return out, err
}

// Explain says what the plan in force makes of a stored message, and why.
func (c *Client) Explain(ctx context.Context, id string) (out Explanation, err error) {
	err = c.call(ctx, "GET", "/v1/messages/"+url.PathEscape(id)+"/explain", nil, &out)
	return out, err
}

// Pauses lists the pauses that people have ordered.
func (c *Client) Pauses(ctx context.Context) (out []Pause, err error) {
	err = c.call(ctx, "GET", "/v1/pauses", nil, &out)
	return out, err
}

// Pause pauses, or with resume ends a pause.
func (c *Client) Pause(ctx context.Context, o PauseOrder, resume bool) (out PauseAnswer, err error) {
	path := "/v1/pause"
	if resume {
		path = "/v1/resume"
	}
	err = c.call(ctx, "POST", path, o, &out)
	return out, err
}

// Reprocess has the undelivered copies of a queue decided again; progress is told
// how far it is (total 0 = unknown). The counts are of what was done before an error.
func (c *Client) Reprocess(ctx context.Context, o ReprocessOrder, progress func(done, total int)) (out engine.Reprocessed, err error) {
	resp, err := c.do(ctx, "POST", "/v1/reprocess", o)
	if err != nil {
		return out, err
	}
	defer resp.Body.Close()
	for dec := json.NewDecoder(resp.Body); ; {
		var l ReprocessLine
		if err := dec.Decode(&l); err != nil {
			return out, fmt.Errorf("the engine ended its answer early: %w", err)
		}
		switch {
		case l.Result == nil:
			progress(l.Done, l.Total)
		case l.Error != "":
			return *l.Result, errors.New(l.Error)
		default:
			return *l.Result, nil
		}
	}
}

// Queues lists queues.
func (c *Client) Queues(ctx context.Context) (out []Queue, err error) {
	err = c.call(ctx, "GET", "/v1/queues", nil, &out)
	return out, err
}

// Totals counts messages by outcome and copies by state.
func (c *Client) Totals(ctx context.Context) (out map[string]map[string]int, err error) {
	err = c.call(ctx, "GET", "/v1/totals", nil, &out)
	return out, err
}

// Status asks the running engine.
func (c *Client) Status(ctx context.Context) (out engine.Status, err error) {
	err = c.call(ctx, "GET", "/v1/status", nil, &out)
	return out, err
}

// Reload makes the engine read its folder now.
func (c *Client) Reload(ctx context.Context) (out engine.Status, err error) {
	err = c.call(ctx, "POST", "/v1/reload", nil, &out)
	return out, err
}

func (c *Client) call(ctx context.Context, method, path string, in, out any) error {
	resp, err := c.do(ctx, method, path, in)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return json.NewDecoder(resp.Body).Decode(out)
}

func (c *Client) do(ctx context.Context, method, path string, in any) (*http.Response, error) {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://engine"+path, body)
	if err != nil {
		return nil, err
	}
	resp, err := c.http.Do(req)
	if err != nil {
		return nil, fmt.Errorf("speaking to the engine: %w", err)
	}
	if resp.StatusCode == http.StatusOK {
		return resp, nil
	}
	defer resp.Body.Close()
	var f Failure
	if err := json.NewDecoder(resp.Body).Decode(&f); err != nil || f.Error == "" {
		return nil, fmt.Errorf("the engine answered %s", resp.Status)
	}
	return nil, errors.New(strings.Join(append([]string{f.Error}, f.More...), "\n"))
}

package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/spine-engine/spine-engine/internal/console"
)

// What the laboratory reads of the engine's answers. The shapes are written here
// again on purpose: they are what users' scripts see.
type (
	engineStatus struct {
		Plan        string   `json:"plan"`
		Accepting   bool     `json:"accepting"`
		ReloadError string   `json:"reload_error"`
		Problems    []string `json:"problems"`
		Queues      []struct {
			Name   string `json:"name"`
			Queued int    `json:"queued"`
		} `json:"queues"`
	}
	listed struct {
		ID      string `json:"id"`
		Control string `json:"control_id"`
		Size    int64  `json:"size"`
		Outcome string `json:"outcome"`
		Reason  string `json:"reason"`
		Copies  int    `json:"copies"`
	}
	totals map[string]map[string]int // messages by outcome, copies by state
)

// get asks the running engine on its socket.
func (e *engine) get(ctx context.Context, path string, into any) error {
	data, err := e.ask(ctx, http.MethodGet, path, nil)
	if err != nil {
		return err
	}
	return json.Unmarshal(data, into)
}

// ask sends one request to the engine's socket and gives the body of its answer.
func (e *engine) ask(ctx context.Context, method, path string, order any) ([]byte, error) {
	client := &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return console.DialSocket(e.socketPath())(ctx)
		}}}
	var body io.Reader = http.NoBody
	if order != nil {
		data, err := json.Marshal(order)
		if err != nil {
			return nil, err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, "http://engine"+path, body)
	if err != nil {
		return nil, err
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, fmt.Errorf("asking the engine: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the engine answered %s to %s", resp.Status, path)
	}
	return io.ReadAll(resp.Body)
}

func (e *engine) engineStatus(ctx context.Context) (s engineStatus, err error) {
	return s, e.get(ctx, "/v1/status", &s)
}

// queued is how many copies wait in all queues, or in the named one.
func (e *engine) queued(ctx context.Context, name string) (int, error) {
	s, err := e.engineStatus(ctx)
	n := 0
	for _, q := range s.Queues {
		if name == "" || q.Name == name {
			n += q.Queued
		}
	}
	return n, err
}

func (e *engine) totals(ctx context.Context) (t totals, err error) {
	return t, e.get(ctx, "/v1/totals", &t)
}

// sum of one side of the totals.
func (t totals) sum(side string) int {
	n := 0
	for _, v := range t[side] {
		n += v
	}
	return n
}

// drained waits until no copy is queued any more.
func (e *engine) drained(ctx context.Context, within time.Duration) error {
	return eventually(ctx, within, 20*time.Millisecond, func() (bool, error) {
		n, err := e.queued(ctx, "")
		return n == 0, err
	})
}

// eventually asks again and again until the answer is yes. Errors of ask count as
// no, and the last one is told.
func eventually(ctx context.Context, within, pause time.Duration, ask func() (bool, error)) error {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	for {
		ok, err := ask()
		if ok && err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("not within %s: %w (last: %w)", within, ctx.Err(), errOr(err))
		case <-time.After(pause):
		}
	}
}

type answeredNo struct{}

func (answeredNo) Error() string { return "the answer was no" }

func errOr(err error) error {
	if err == nil {
		return answeredNo{}
	}
	return err
}

package console

import (
	"bytes"
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
	"github.com/spine-engine/spine-engine/store/disk"
)

// stored is a store with one held message and one dead letter.
func stored(t *testing.T) (API, message.ID, message.Key) {
	s, err := disk.Open(t.TempDir(), disk.Options{Log: zerolog.Nop(), MinFree: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	env := func(control string) *message.Envelope {
		return &message.Envelope{ID: ulid.Make(), Received: time.Now(), Source: "pas", Body: message.InMemory([]byte("SECRET " + control))}
	}
	held := &message.Decision{Envelope: env("1"), Outcome: message.Held, ControlID: "1",
		Parts: []message.Part{{Feed: "f", Outcome: message.Held, Rule: message.Place{File: "feeds/f.yaml", Line: 7}, Reason: "waits"}}}
	if _, err := s.Append(t.Context(), held); err != nil {
		t.Fatal(err)
	}
	e := env("2")
	routed := &message.Decision{Envelope: e, Outcome: message.Routed, ControlID: "2", Parts: []message.Part{{Feed: "f", Outcome: message.Routed, Copies: 1}},
		Deliveries: []message.Delivery{{Message: e.ID, Queue: "lab", Feed: "f", Body: e.Body, State: message.Queued, Queued: time.Now()}}}
	r, err := s.Append(t.Context(), routed)
	if err != nil {
		t.Fatal(err)
	}
	k := message.Key{Seq: r.Seq}
	err = s.Finish(t.Context(), []message.Finished{{Key: k, Pos: r.Seq, Queue: "lab", State: message.DeadLettered, At: time.Now(), Code: "AR", Reason: "answered AR"}})
	if err != nil {
		t.Fatal(err)
	}
	release := func(context.Context, message.ID, store.Person) (*message.Decision, error) { return nil, store.ErrState }
	return API{Store: s, Release: release}, held.Envelope.ID, k
}

func TestAPI(t *testing.T) {
	api, id, key := stored(t)
	h := api.Handler()
	for _, c := range []struct {
		name, method, path, body string
		code                     int
		has                      string
	}{
		{"list", "GET", "/v1/messages", "", 200, `"rule":"feeds/f.yaml:7"`},
		{"list by outcome", "GET", "/v1/messages?outcome=held", "", 200, `"control_id":"1"`},
		{"unknown outcome", "GET", "/v1/messages?outcome=lost", "", 400, "one of routed"},
		{"unknown state", "GET", "/v1/messages?copy=lost", "", 400, "one of queued"},
		{"limit out of range", "GET", "/v1/messages?limit=0", "", 400, "1 to 10000"},
		{"bad time", "GET", "/v1/messages?since=yesterday", "", 400, "a time like"},
		{"bad page", "GET", "/v1/messages?before=x", "", 400, "message id"},
		{"show", "GET", "/v1/messages/" + id.String(), "", 200, `"outcome":"held"`},
		{"show no id", "GET", "/v1/messages/xyz", "", 400, "26 characters"},
		{"show unknown", "GET", "/v1/messages/01ARZ3NDEKTSV4RRFFQ69G5FAV", "", 404, "not found"},
		{"body", "GET", "/v1/messages/" + id.String() + "/body", "", 200, "SECRET 1"},
		{"body of a foreign copy", "GET", "/v1/messages/" + id.String() + "/body?copy=1.1", "", 404, "not found"},
		{"release refused", "POST", "/v1/messages/" + id.String() + "/release", `{"by":"ann"}`, 409, "present state"},
		{"nobody's order", "POST", "/v1/messages/" + id.String() + "/discard", `{"reason":"x"}`, 400, "who gives it"},
		{"unknown field", "POST", "/v1/messages/" + id.String() + "/discard", `{"by":"ann","force":true}`, 400, "must be JSON"},
		{"discard", "POST", "/v1/messages/" + id.String() + "/discard", `{"by":"ann","reason":"seen"}`, 200, `"outcome":"dropped"`},
		{"discard twice", "POST", "/v1/messages/" + id.String() + "/discard", `{"by":"ann"}`, 409, "present state"},
		{"copy without a key", "POST", "/v1/copies/abc/release", `{"by":"ann"}`, 400, "not a copy's key"},
		{"release the dead letter", "POST", "/v1/copies/" + key.String() + "/release", `{"by":"ann"}`, 200, key.String()},
		{"resend what is queued", "POST", "/v1/copies/" + key.String() + "/resend", `{"by":"ann"}`, 409, "present state"},
		{"queues", "GET", "/v1/queues", "", 200, `"queued":1`},
		{"totals", "GET", "/v1/totals", "", 200, `"dropped":1`},
		{"status without an engine", "GET", "/v1/status", "", 409, "no engine is running"},
		{"reload without an engine", "POST", "/v1/reload", "", 409, "no engine is running"},
		{"wrong method", "GET", "/v1/reload", "", 405, ""},
		{"nothing there", "GET", "/v2", "", 404, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := httptest.NewRecorder()
			h.ServeHTTP(w, httptest.NewRequest(c.method, c.path, strings.NewReader(c.body)))
			if w.Code != c.code || !strings.Contains(w.Body.String(), c.has) {
				t.Errorf("%d %s", w.Code, w.Body)
			}
			if strings.Contains(w.Body.String(), "SECRET") && !strings.HasSuffix(c.path, "/body") {
				t.Error("content came out")
			}
		})
	}
}

func TestHealthListenerServesNothingElse(t *testing.T) {
	api, id, _ := stored(t)
	for _, path := range []string{"/v1/messages", "/v1/messages/" + id.String() + "/body", "/v1/status"} {
		w := httptest.NewRecorder()
		api.Health().ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		if w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestClientInProcess(t *testing.T) {
	api, id, key := stored(t)
	c := Local(api.Handler())
	var body bytes.Buffer
	if err := c.Body(t.Context(), id.String(), "", &body); err != nil || body.String() != "SECRET 1" {
		t.Errorf("body: %v", err)
	}
	if _, err := c.Message(t.Context(), "01ARZ3NDEKTSV4RRFFQ69G5FAV"); err == nil || !strings.Contains(err.Error(), "not found") {
		t.Errorf("unknown: %v", err)
	}
	out, err := c.ActOnCopy(t.Context(), key.String(), "resend", Order{By: "ann"})
	if err != nil || out["copy_of"] != key.String() || out["key"] == key.String() {
		t.Errorf("resend: %v %v", out, err)
	}
	d, err := c.Messages(t.Context(), map[string][]string{"copy": {"queued"}})
	if err != nil || len(d) != 1 || d[0].States["queued"] != 1 || d[0].States["dead-lettered"] != 1 {
		t.Errorf("list: %+v %v", d, err)
	}
}

package console

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/engine"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// Store is what the API asks of a store.
type Store interface {
	store.History
	store.Switches
	Queues() ([]store.Queue, error)
}

// Releaser decides a held message again.
type Releaser func(ctx context.Context, id message.ID, by store.Person) (*message.Decision, error)

// Reprocessor decides the undelivered copies of a queue again.
type Reprocessor func(ctx context.Context, o engine.Reprocess) (engine.Reprocessed, error)

// Pauser pauses or resumes, and says what that is about.
type Pauser func(ctx context.Context, w store.Switch) ([]string, error)

// Explainer explains a stored message.
type Explainer func(id message.ID) (*engine.Explained, error)

// Running is what only a running engine can do.
type Running interface {
	Status() engine.Status
	ReloadNow() ([]conf.Problem, error)
	Registry() *prometheus.Registry
}

// API serves the admin interface. Running is nil when no engine runs.
type API struct {
	Store     Store
	Release   Releaser
	Reprocess Reprocessor
	Pause     Pauser
	Explain   Explainer
	Running   Running
}

// Handler is the whole API, for the Unix socket.
func (a API) Handler() http.Handler {
	mux := http.NewServeMux()
	a.health(mux)
	mux.HandleFunc("GET /v1/status", a.status)
	mux.HandleFunc("POST /v1/reload", a.reload)
	mux.HandleFunc("GET /v1/messages", a.listMessages)
	mux.HandleFunc("GET /v1/messages/{id}", a.showMessage)
	mux.HandleFunc("GET /v1/messages/{id}/body", a.body)
	mux.HandleFunc("POST /v1/messages/{id}/release", a.releaseMessage)
	mux.HandleFunc("POST /v1/messages/{id}/discard", a.discardMessage)
	mux.HandleFunc("GET /v1/messages/{id}/explain", a.explain)
	mux.HandleFunc("GET /v1/queues", a.listQueues)
	mux.HandleFunc("POST /v1/reprocess", a.reprocess)
	mux.HandleFunc("GET /v1/pauses", a.listPauses)
	mux.HandleFunc("POST /v1/pause", a.pause(true))
	mux.HandleFunc("POST /v1/resume", a.pause(false))
	mux.HandleFunc("GET /v1/totals", a.totals)
	mux.HandleFunc("POST /v1/copies/{key}/release", a.copyAction(a.releaseCopy))
	mux.HandleFunc("POST /v1/copies/{key}/discard", a.copyAction((Store).DiscardCopy))
	mux.HandleFunc("POST /v1/copies/{key}/resend", a.resend)
	return mux
}

// Health is /metrics and /health alone, for the loopback listener.
func (a API) Health() http.Handler {
	mux := http.NewServeMux()
	a.health(mux)
	return mux
}

func (a API) health(mux *http.ServeMux) {
	if a.Running == nil {
		return
	}
	mux.Handle("GET /metrics", promhttp.HandlerFor(a.Running.Registry(), promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /health", func(w http.ResponseWriter, _ *http.Request) {
		s := a.Running.Status()
		code, word := http.StatusOK, "ok"
		switch {
		case !s.Accepting:
			code, word = http.StatusServiceUnavailable, "not accepting"
		case s.ReloadError != "":
			word = "ok, but the project folder is not the one that runs: " + s.ReloadError
		}
		answer(w, code, map[string]string{"health": word, "plan": s.Plan})
	})
}

func (a API) status(w http.ResponseWriter, _ *http.Request) {
	if a.Running == nil {
		fail(w, http.StatusConflict, errors.New("no engine is running; start it with spine-engine run"))
		return
	}
	answer(w, http.StatusOK, a.Running.Status())
}

func (a API) reload(w http.ResponseWriter, _ *http.Request) {
	if a.Running == nil {
		fail(w, http.StatusConflict, errors.New("no engine is running; it reads the project when it starts"))
		return
	}
	problems, err := a.Running.ReloadNow()
	if err != nil {
		f := Failure{Error: err.Error()}
		for _, p := range problems {
			f.More = append(f.More, p.String())
		}
		answer(w, http.StatusUnprocessableEntity, f)
		return
	}
	answer(w, http.StatusOK, a.Running.Status())
}

func (a API) listMessages(w http.ResponseWriter, r *http.Request) {
	q, err := queryOf(r)
	if err != nil {
		fail(w, http.StatusBadRequest, err)
		return
	}
	entries, err := a.Store.List(q)
	if err != nil {
		failStore(w, err)
		return
	}
	out := make([]Message, len(entries))
	for i, e := range entries {
		out[i] = messageOf(e)
	}
	answer(w, http.StatusOK, out)
}

func queryOf(r *http.Request) (store.Query, error) {
	v := r.URL.Query()
	q := store.Query{Feed: v.Get("feed"), Source: v.Get("source"), Queue: v.Get("queue")}
	ok := true
	if s := v.Get("outcome"); s != "" {
		if q.Outcome, ok = message.ParseOutcome(s); !ok {
			return q, errors.New("unknown outcome; one of routed, dropped, held, rejected, unrouted, quarantined")
		}
	}
	if s := v.Get("copy"); s != "" {
		if q.Copy, ok = message.ParseCopyState(s); !ok {
			return q, errors.New("unknown state of copies; one of queued, delivered, held, dead-lettered, expired, discarded")
		}
	}
	var err error
	if s := v.Get("limit"); s != "" {
		if q.Limit, err = strconv.Atoi(s); err != nil || q.Limit < 1 || q.Limit > 10000 {
			return q, errors.New("limit must be a number from 1 to 10000")
		}
	}
	if s := v.Get("since"); s != "" {
		if q.Since, err = time.Parse(time.RFC3339, s); err != nil {
			return q, errors.New("since must be a time like 2026-11-22T08:00:00Z")
		}
	}
	if s := v.Get("before"); s != "" {
		if q.Before, err = ulid.ParseStrict(s); err != nil {
			return q, errors.New("before must be a message id")
		}
	}
	return q, nil
}

func (a API) showMessage(w http.ResponseWriter, r *http.Request) {
	if record, ok := a.record(w, r); ok {
		answer(w, http.StatusOK, detailOf(record))
	}
}

func (a API) record(w http.ResponseWriter, r *http.Request) (*store.Record, bool) {
	id, ok := idOf(w, r)
	if !ok {
		return nil, false
	}
	record, err := a.Store.Get(id)
	if err != nil {
		failStore(w, err)
		return nil, false
	}
	return record, true
}

// body is the one endpoint that gives content: the message as received, or with
// ?copy=KEY one copy as it is sent.
func (a API) body(w http.ResponseWriter, r *http.Request) {
	record, ok := a.record(w, r)
	if !ok {
		return
	}
	body := record.Envelope.Body
	if key := r.URL.Query().Get("copy"); key != "" {
		found := false
		for _, c := range record.Copies {
			if c.Key.String() == key {
				body, found = c.Body, true
			}
		}
		if !found {
			failStore(w, store.ErrNotFound)
			return
		}
	}
	view, err := body.View()
	if err != nil {
		failStore(w, err)
		return
	}
	defer view.Close()
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(body.Size(), 10))
	view.WriteTo(w) // a broken pipe is the reader's affair
}

func (a API) releaseMessage(w http.ResponseWriter, r *http.Request) {
	id, ok := idOf(w, r)
	if !ok {
		return
	}
	order, ok := orderOf(w, r)
	if !ok {
		return
	}
	if _, err := a.Release(r.Context(), id, order.person()); err != nil {
		failStore(w, err)
		return
	}
	a.showMessage(w, r)
}

func (a API) discardMessage(w http.ResponseWriter, r *http.Request) {
	id, ok := idOf(w, r)
	if !ok {
		return
	}
	order, ok := orderOf(w, r)
	if !ok {
		return
	}
	if err := a.Store.Discard(r.Context(), id, order.person()); err != nil {
		failStore(w, err)
		return
	}
	a.showMessage(w, r)
}

// releaseCopy queues a copy again as it was; one that was held before it was made
// whole is made anew, without the rule that held it.
func (a API) releaseCopy(s Store, ctx context.Context, k message.Key, by store.Person) error {
	err := s.Requeue(ctx, k, by)
	var part *store.NotWholeError
	if !errors.As(err, &part) || a.Reprocess == nil {
		return err
	}
	_, err = a.Reprocess(ctx, engine.Reprocess{Queue: part.Queue, State: message.CopyHeld, Only: k, Message: part.Message, By: by})
	return err
}

func (a API) copyAction(do func(Store, context.Context, message.Key, store.Person) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		key, order, ok := keyAndOrder(w, r)
		if !ok {
			return
		}
		if err := do(a.Store, r.Context(), key, order.person()); err != nil {
			failStore(w, err)
			return
		}
		answer(w, http.StatusOK, map[string]string{"key": key.String()})
	}
}

func (a API) resend(w http.ResponseWriter, r *http.Request) {
	key, order, ok := keyAndOrder(w, r)
	if !ok {
		return
	}
	fresh, err := a.Store.Resend(r.Context(), key, order.person())
	if err != nil {
		failStore(w, err)
		return
	}
	answer(w, http.StatusOK, map[string]string{"key": fresh.String(), "copy_of": key.String()})
}

func (a API) totals(w http.ResponseWriter, _ *http.Request) {
	t, err := a.Store.Totals()
	if err != nil {
		failStore(w, err)
		return
	}
	out := map[string]map[string]int{"messages": {}, "copies": {}}
	for o, n := range t.Messages {
		out["messages"][o.String()] = n
	}
	for s, n := range t.Copies {
		out["copies"][s.String()] = n
	}
	answer(w, http.StatusOK, out)
}

func (a API) listQueues(w http.ResponseWriter, _ *http.Request) {
	stored, err := a.Store.Queues()
	if err != nil {
		failStore(w, err)
		return
	}
	answer(w, http.StatusOK, a.queues(stored))
}

// queues joins what the store holds with what the engine knows.
func (a API) queues(stored []store.Queue) []Queue {
	out := []Queue{}
	if a.Running == nil {
		for _, s := range stored {
			out = append(out, Queue{Name: s.Name, Queued: s.Queued, Oldest: s.Oldest, State: "not running"})
		}
		return out
	}
	byName := map[string]store.Queue{}
	for _, s := range stored {
		byName[s.Name] = s
	}
	for _, q := range a.Running.Status().Queues {
		s := byName[q.Name]
		out = append(out, Queue{Name: q.Name, Queued: q.Queued, Oldest: s.Oldest, State: stateOf(q), Lanes: q.Lanes,
			PausedUntil: q.PausedUntil, PausedBecause: q.PausedBecause, LastError: q.LastError, LastErrorAt: q.LastErrorAt})
	}
	return out
}

func stateOf(q engine.QueueState) string {
	switch {
	case q.Paused:
		return "paused"
	case q.Stopped > 0:
		return "stopped"
	case q.Retrying > 0:
		return "retrying"
	case q.Queued > 0:
		return "sending"
	}
	return "idle"
}

func idOf(w http.ResponseWriter, r *http.Request) (message.ID, bool) {
	id, err := ulid.ParseStrict(r.PathValue("id"))
	if err != nil {
		fail(w, http.StatusBadRequest, errors.New("that is not a message id; write the 26 characters that lists show"))
		return id, false
	}
	return id, true
}

func keyAndOrder(w http.ResponseWriter, r *http.Request) (message.Key, Order, bool) {
	key, err := message.ParseKey(r.PathValue("key"))
	if err != nil {
		fail(w, http.StatusBadRequest, err)
		return key, Order{}, false
	}
	order, ok := orderOf(w, r)
	return key, order, ok
}

func orderOf(w http.ResponseWriter, r *http.Request) (o Order, ok bool) {
	ok = readOrder(w, r, &o, &o, "by, reason")
	return o, ok
}

// readOrder reads an order of any kind; o is the part of it that says who gives it.
func readOrder(w http.ResponseWriter, r *http.Request, into any, o *Order, fields string) bool {
	dec := json.NewDecoder(http.MaxBytesReader(w, r.Body, 64<<10))
	dec.DisallowUnknownFields()
	if err := dec.Decode(into); err != nil {
		fail(w, http.StatusBadRequest, errors.New("the order must be JSON: "+fields))
		return false
	}
	if o.By == "" {
		fail(w, http.StatusBadRequest, errors.New("the order must say who gives it (by)"))
		return false
	}
	return true
}

func answer(w http.ResponseWriter, code int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(code)
	json.NewEncoder(w).Encode(v) // the reader may have gone
}

func fail(w http.ResponseWriter, code int, err error) { answer(w, code, Failure{Error: err.Error()}) }

func failStore(w http.ResponseWriter, err error) {
	code := http.StatusInternalServerError
	switch {
	case errors.Is(err, store.ErrNotFound):
		code = http.StatusNotFound
	case errors.Is(err, store.ErrState), errors.Is(err, engine.ErrPause):
		code = http.StatusConflict
	case errors.Is(err, store.ErrFailed), errors.Is(err, store.ErrClosed), errors.Is(err, store.ErrFull):
		code = http.StatusServiceUnavailable
	}
	fail(w, code, err)
}

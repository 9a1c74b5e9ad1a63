package console

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/internal/engine"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
)

// explain says what the plan in force makes of a stored message, and why. Rows of
// tables and texts of errors can hold values of the message.
func (a API) explain(w http.ResponseWriter, r *http.Request) {
	id, ok := idOf(w, r)
	if !ok {
		return
	}
	x, err := a.Explain(id)
	if err != nil {
		failStore(w, err)
		return
	}
	answer(w, http.StatusOK, explanationOf(x))
}

// reprocess answers in lines of JSON: now and then how far it is, at the end the
// result. A client that goes away ends it between two messages.
func (a API) reprocess(w http.ResponseWriter, r *http.Request) {
	var o ReprocessOrder
	if !readOrder(w, r, &o, &o.Order, "queue, state, dry_run, by, reason") {
		return
	}
	order := engine.Reprocess{Queue: o.Queue, DryRun: o.DryRun, By: o.person()}
	if o.State != "" {
		if order.State, _ = message.ParseCopyState(o.State); order.State == 0 {
			fail(w, http.StatusBadRequest, errors.New("unknown state of copies; one of queued, held, dead-lettered"))
			return
		}
	}
	lines := json.NewEncoder(w)
	flush := func() {}
	if f, ok := w.(http.Flusher); ok {
		flush = f.Flush
	}
	begun, told := false, time.Time{}
	order.Progress = func(done, total int) {
		if begun && time.Since(told) < 100*time.Millisecond {
			return
		}
		if !begun {
			w.Header().Set("Content-Type", "application/x-ndjson")
		}
		begun, told = true, time.Now()
		lines.Encode(ReprocessLine{Done: done, Total: total}) // the reader may have gone
		flush()
	}
	out, err := a.Reprocess(r.Context(), order)
	switch {
	case err != nil && !begun:
		failStore(w, err)
	case err != nil:
		lines.Encode(ReprocessLine{Result: &out, Error: err.Error()})
	default:
		lines.Encode(ReprocessLine{Result: &out})
	}
}

func (a API) listPauses(w http.ResponseWriter, _ *http.Request) {
	all, err := a.Store.Switches()
	if err != nil {
		failStore(w, err)
		return
	}
	out := []Pause{}
	for _, s := range all {
		p := Pause{Paused: engine.Paused{Kind: s.Kind, Name: s.Name, Until: s.Until, By: s.By.Name, Reason: s.By.Reason, At: s.At}}
		if s.Kind == engine.KindLane {
			p.Lane = &s.Lane
		}
		out = append(out, p)
	}
	answer(w, http.StatusOK, out)
}

// pause pauses, or resumes.
func (a API) pause(paused bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		var o PauseOrder
		if !readOrder(w, r, &o, &o.Order, "kind, name, lane, until, by, reason") {
			return
		}
		if paused && strings.TrimSpace(o.Reason) == "" {
			fail(w, http.StatusBadRequest, errors.New("a pause must say why (reason): whoever finds it later has nothing else"))
			return
		}
		about, err := a.Pause(r.Context(), store.Switch{Subject: o.subject(), Paused: paused, Until: o.Until, By: o.person()})
		if err != nil {
			failStore(w, err)
			return
		}
		answer(w, http.StatusOK, PauseAnswer{About: about, Now: a.Running != nil})
	}
}

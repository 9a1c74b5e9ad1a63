package console

import (
	"context"
	"net"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spine-engine/spine-engine/internal/engine"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
	"github.com/spine-engine/spine-engine/store"
)

func TestExplain(t *testing.T) {
	api, id, _ := stored(t)
	api.Explain = func(id message.ID) (*engine.Explained, error) {
		rec, err := api.Store.Get(id)
		if err != nil {
			return nil, err
		}
		at := message.Place{File: "feeds/f.yaml", Line: 7}
		return &engine.Explained{Record: rec, Trace: []routes.Trace{{Place: at, What: routes.TraceCondition, Result: "false"}},
			Decision: &message.Decision{Envelope: rec.Envelope, Outcome: message.Routed, Reply: message.Reply{Code: "AA"},
				Parts:      []message.Part{{Feed: "f", Outcome: message.Routed, Rule: at, Number: 2, Findings: []message.Finding{{Rule: at, Text: "no ward"}}}},
				Deliveries: []message.Delivery{{Queue: "lab", Feed: "f", State: message.Queued, ControlID: "1", Body: rec.Envelope.Body}}}}, nil
	}
	c := Local(api.Handler())
	x, err := c.Explain(t.Context(), id.String())
	if err != nil {
		t.Fatal(err)
	}
	if x.Stored.Outcome != "held" || x.Outcome != "routed" || x.Reply != "AA" || x.Rule != "feeds/f.yaml:7" || len(x.Copies) != 1 || x.Copies[0].State != "queued" {
		t.Errorf("%+v", x)
	}
	if diff := cmp.Diff([]Trace{{Place: "feeds/f.yaml:7", What: "condition", Result: "false"}}, x.Trace); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff([]Part{{Feed: "f", Outcome: "routed", Rule: "feeds/f.yaml:7", Number: 2, Findings: []Finding{{"feeds/f.yaml:7", "no ward"}}}}, x.Parts); diff != "" {
		t.Error(diff)
	}
	if _, err := c.Explain(t.Context(), "01ARZ3NDEKTSV4RRFFQ69G5FAV"); err == nil || !strings.Contains(err.Error(), "not found") {
		t.Errorf("of an unknown message: %v", err)
	}
}

func TestReprocessTellsHowFarItIs(t *testing.T) {
	api, _, _ := stored(t)
	var asked engine.Reprocess
	var fail error
	api.Reprocess = func(_ context.Context, o engine.Reprocess) (engine.Reprocessed, error) {
		asked = o
		if o.Queue == "lab" {
			o.Progress(1, 3)
		}
		return engine.Reprocessed{Queue: o.Queue, Copies: 3, Replaced: 3}, fail
	}
	server := httptest.NewServer(api.Handler())
	defer server.Close()
	dial := func(ctx context.Context) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "tcp", server.Listener.Addr().String())
	}
	for name, c := range map[string]*Client{"in this process": Local(api.Handler()), "over a wire": Dial(dial)} {
		fail = nil
		var steps [][2]int
		out, err := c.Reprocess(t.Context(), ReprocessOrder{Order: Order{By: "ann", Reason: "why"}, Queue: "lab", State: "held", DryRun: true},
			func(done, total int) { steps = append(steps, [2]int{done, total}) })
		if err != nil || out.Replaced != 3 || len(steps) != 1 || steps[0] != [2]int{1, 3} {
			t.Errorf("%s: %+v %v %v", name, out, steps, err)
		}
		if asked.State != message.CopyHeld || !asked.DryRun || asked.By != (store.Person{Name: "ann", Reason: "why"}) {
			t.Errorf("%s: asked %+v", name, asked)
		}
		fail = store.ErrClosed
		if out, err = c.Reprocess(t.Context(), ReprocessOrder{Order: Order{By: "ann"}, Queue: "lab"}, func(int, int) {}); err == nil || out.Copies != 3 {
			t.Errorf("%s: a failure in the middle: %+v %v", name, out, err)
		}
		if _, err = c.Reprocess(t.Context(), ReprocessOrder{Order: Order{By: "ann"}, Queue: "none"}, func(int, int) {}); err == nil {
			t.Errorf("%s: a failure at once gave no error", name)
		}
	}
}

func TestPauses(t *testing.T) {
	api, _, _ := stored(t)
	api.Pause = func(ctx context.Context, w store.Switch) ([]string, error) {
		return []string{w.Name}, api.Store.Switch(ctx, w)
	}
	c := Local(api.Handler())
	by := Order{By: "ann", Reason: "upgrade"}
	until := time.Now().Add(time.Hour)
	for _, o := range []PauseOrder{{Order: by, Kind: "peer", Name: "epr", Until: until}, {Order: by, Kind: "lane", Name: "lab", Lane: "4711"}, {Order: by, Kind: "source", Name: "pas"}} {
		if a, err := c.Pause(t.Context(), o, false); err != nil || a.Now || a.About[0] != o.Name {
			t.Fatalf("%+v %v", a, err)
		}
	}
	if _, err := c.Pause(t.Context(), PauseOrder{Order: by, Kind: "source", Name: "pas"}, true); err != nil {
		t.Fatal(err)
	}
	list, err := c.Pauses(t.Context())
	if err != nil || len(list) != 2 {
		t.Fatalf("%+v %v", list, err)
	}
	if p := list[0]; p.Kind != "destination" || p.Name != "epr" || p.Lane != nil || !p.Until.Equal(until) || p.By != "ann" || p.Reason != "upgrade" || p.At.IsZero() {
		t.Errorf("%+v", p)
	}
	if p := list[1]; p.Kind != "lane" || p.Lane == nil || *p.Lane != "4711" {
		t.Errorf("%+v", p)
	}
	if _, err := c.Pause(t.Context(), PauseOrder{Order: Order{By: "ann"}, Kind: "source", Name: "pas"}, false); err == nil || !strings.Contains(err.Error(), "say why") {
		t.Errorf("without a reason: %v", err)
	}
	if _, err := c.Pause(t.Context(), PauseOrder{Order: Order{Reason: "x"}, Kind: "source", Name: "pas"}, false); err == nil {
		t.Error("without a name")
	}
}

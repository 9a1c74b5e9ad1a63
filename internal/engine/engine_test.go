package engine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/store"
	"github.com/spine-engine/spine-engine/store/disk"
)

// The wire of these tests: a source that hands over what the test gives it, and a
// destination that does what the test says. Everything else is real. It is here
// because no real peer panics or answers exactly between two syncs on demand.
type wire struct {
	accept chan adapters.Accept // the running source's way in
	send   func(d *message.Delivery) (adapters.Reply, error)

	mu     sync.Mutex
	opened int
	closed int
}

func (w *wire) kind() adapters.Kind {
	return adapters.Kind{
		Name:   "wire",
		Source: func(n *conf.Node) adapters.SourceConfig { return wireConfig{w, n.Map("wire", "id")["id"].Text()} },
		Destination: func(n *conf.Node) adapters.DestinationConfig {
			return wireTo{wireConfig{w, n.Map("wire", "id")["id"].Text()}}
		},
	}
}

type wireConfig struct {
	w  *wire
	id string
}

func (c wireConfig) Key() string                                      { return c.id }
func (c wireConfig) Claims() []string                                 { return []string{"wire " + c.id} }
func (c wireConfig) Open(adapters.SourceEnv) (adapters.Source, error) { return wireSource(c), nil }

type wireSource wireConfig

func (s wireSource) Run(ctx context.Context, accept adapters.Accept) error {
	for {
		select {
		case s.w.accept <- accept:
		case <-ctx.Done():
			return nil
		}
	}
}

type wireTo struct{ wireConfig }

func (c wireTo) Claims() []string { return nil }
func (c wireTo) Traits() adapters.Traits {
	return adapters.Traits{Batch: 1, Concurrency: 4, NeedsReply: true}
}
func (c wireTo) Open(adapters.DestinationEnv) (adapters.Destination, error) {
	c.w.mu.Lock()
	defer c.w.mu.Unlock()
	c.w.opened++
	return &wireDest{c.w}, nil
}

type wireDest struct{ w *wire }

func (d *wireDest) Send(_ context.Context, x *message.Delivery) (adapters.Reply, error) {
	return d.w.send(x)
}
func (d *wireDest) Close() error {
	d.w.mu.Lock()
	defer d.w.mu.Unlock()
	d.w.closed++
	return nil
}

const wireSpine = "spine: v1\nenvironment: test\nlimits: { in_memory: 1MiB }\n"

const wireFeed = `spine: v1
feed: f
sources:
  in: { wire: { id: in }, charset: { use_msh18: true, otherwise: windows-1252 } }
accept:
  - require: msg.event != "A03"
    otherwise: { hold: "waits" }
deliver:
  - to: out
    wire: { id: out }
    order: { per: PID-3.1 }
    retry: { first: 10ms, factor: 2, cap: 20ms, give_up_after: never }
    reply: { AA: done, AE: retry, AR: dead_letter, none: { after: 5s, do: retry }, wrong_id: retry }
unrouted: { drop: "nobody" }
`

// lab is an engine under test.
type lab struct {
	t      *testing.T
	dir    string
	wire   *wire
	log    logBuffer
	engine *Engine
	wrap   func(Backend) Backend
	stop   func() error

	shadow      string
	shadowTakes bool
}

func newLab(t *testing.T, send func(*message.Delivery) (adapters.Reply, error)) *lab {
	l := &lab{t: t, dir: t.TempDir(), wire: &wire{accept: make(chan adapters.Accept), send: send}}
	l.write("spine.yaml", wireSpine)
	l.write("feeds/f.yaml", wireFeed)
	return l
}

func (l *lab) write(name, text string) {
	l.t.Helper()
	path := filepath.Join(l.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o644)); err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) options() Options {
	return Options{Project: l.dir, Kinds: []adapters.Kind{l.wire.kind()}, Log: zerolog.New(&l.log),
		Shadow: l.shadow, ShadowTakes: l.shadowTakes,
		OpenStore: func(dir string, o StoreOptions) (Backend, error) {
			s, err := disk.Open(dir, disk.Options{Observer: o.Observer, Known: o.Known, Fatal: o.Fatal, Log: zerolog.Nop(), MinFree: 1})
			if err != nil || l.wrap == nil {
				return s, err
			}
			return l.wrap(s), nil
		}}
}

func (l *lab) start() {
	l.t.Helper()
	e, problems, err := Open(l.options())
	if err != nil {
		l.t.Fatalf("open: %v %v", err, problems)
	}
	l.engine = e
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- e.Run(ctx) }()
	l.stop = sync.OnceValue(func() error { cancel(); return <-done })
	l.t.Cleanup(func() { l.stop() })
}

func adt(event, patient, control string) []byte {
	return fmt.Appendf(nil, "MSH|^~\\&|A|B|C|D|20261122||ADT^%s|%s|P|2.4\rPID|||%s\r", event, control, patient)
}

// take hands one message over and returns the receipt.
func (l *lab) take(event, patient, control string) message.Receipt {
	l.t.Helper()
	accept := <-l.wire.accept
	r, err := accept(context.Background(), &message.Envelope{Source: "f/in", Body: message.InMemory(adt(event, patient, control))})
	if err != nil {
		l.t.Fatalf("accept: %v", err)
	}
	return r
}

// await waits for another goroutine's work on the real disk, which no fake clock moves.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited 20 s for %s", what)
		}
		<-time.After(2 * time.Millisecond)
	}
}

func (l *lab) totals() store.Totals {
	l.t.Helper()
	t, err := l.engine.store.Totals()
	if err != nil {
		l.t.Fatal(err)
	}
	return t
}

func takes(*message.Delivery) (adapters.Reply, error) { return adapters.Reply{Code: "AA"}, nil }

func TestLifeAndRelease(t *testing.T) {
	l := newLab(t, takes)
	l.start()
	if r := l.take("A01", "1", "C1"); r.Reply.Code != "AA" || r.Outcome != message.Routed {
		t.Errorf("receipt %+v", r)
	}
	held := l.take("A03", "1", "C2")
	if held.Reply.Code != "AA" || held.Outcome != message.Held {
		t.Errorf("held receipt %+v", held)
	}
	await(t, "the first delivery", func() bool { return l.totals().Copies[message.Delivered] == 1 })
	d, err := l.engine.ReleaseMessage(t.Context(), held.ID, store.Person{Name: "ann", Reason: "seen"})
	if err != nil || d.Outcome != message.Routed {
		t.Fatalf("release: %v %v", d, err)
	}
	await(t, "the released copy", func() bool { return l.totals().Copies[message.Delivered] == 2 })
	if got := l.totals().Messages; got[message.Routed] != 2 || got[message.Held] != 0 {
		t.Errorf("messages %v", got)
	}
	if _, err := l.engine.ReleaseMessage(t.Context(), held.ID, store.Person{Name: "ann"}); !errors.Is(err, store.ErrState) {
		t.Errorf("a second release: %v", err)
	}
	if err := l.stop(); err != nil {
		t.Errorf("stop: %v", err)
	}
}

func TestPanicInAnAdapterSetsTheCopyAside(t *testing.T) {
	l := newLab(t, func(d *message.Delivery) (adapters.Reply, error) {
		if d.ControlID == "C1" {
			panic("SECRET content of a message")
		}
		return takes(d)
	})
	l.start()
	l.take("A01", "1", "C1")
	l.take("A01", "1", "C2")
	await(t, "both copies to leave the queue", func() bool {
		c := l.totals().Copies
		return c[message.DeadLettered] == 1 && c[message.Delivered] == 1
	})
	l.stop()
	if strings.Contains(l.log.String(), "SECRET") || !strings.Contains(l.log.String(), "destination panicked") {
		t.Errorf("log: %s", l.log.String())
	}
}

// gate lets a test hold the store's records back.
type gate struct {
	Backend
	open chan struct{}
	held chan []message.Finished
}

func (g *gate) Finish(ctx context.Context, fs []message.Finished) error {
	g.held <- fs
	<-g.open
	return g.Backend.Finish(ctx, fs)
}

func TestNextSendOfALaneWaitsForTheRecordOfTheLast(t *testing.T) {
	sent := make(chan string, 10)
	l := newLab(t, func(d *message.Delivery) (adapters.Reply, error) { sent <- d.ControlID; return takes(d) })
	g := &gate{open: make(chan struct{}), held: make(chan []message.Finished, 10)}
	l.wrap = func(b Backend) Backend { g.Backend = b; return g }
	l.start()
	l.take("A01", "same", "C1")
	if id := <-sent; id != "C1" {
		t.Fatalf("first sent %s", id)
	}
	<-g.held // answered, not durable yet
	l.take("A01", "same", "C2")
	l.take("A01", "other", "C3")
	if id := <-sent; id != "C3" {
		t.Fatalf("%s went out while C1's record was not durable", id)
	}
	close(g.open)
	if id := <-sent; id != "C2" {
		t.Fatalf("then %s", id)
	}
	await(t, "three deliveries", func() bool { return l.totals().Copies[message.Delivered] == 3 })
}

func TestReload(t *testing.T) {
	l := newLab(t, takes)
	l.start()
	l.take("A01", "1", "C1")
	was := l.engine.Plan().Hash()

	l.write("feeds/f.yaml", strings.Replace(wireFeed, "require:", "requires:", 1))
	problems, err := l.engine.ReloadNow()
	if !errors.Is(err, ErrProject) || len(problems) == 0 || l.engine.Plan().Hash() != was {
		t.Errorf("a broken edit: %v %v, plan %s", problems, err, l.engine.Plan().Hash())
	}
	if s := l.engine.Status(); s.ReloadError == "" || len(s.Problems) == 0 {
		t.Errorf("status does not show it: %+v", s)
	}

	l.write("feeds/f.yaml", strings.Replace(wireFeed, "A03", "A01", 1))
	if _, err := l.engine.ReloadNow(); err != nil {
		t.Fatal(err)
	}
	if r := l.take("A01", "1", "C2"); r.Outcome != message.Held {
		t.Errorf("the new rule is not in force: %s", r.Outcome)
	}
	if s := l.engine.Status(); s.ReloadError != "" {
		t.Errorf("status: %s", s.ReloadError)
	}
	l.wire.mu.Lock()
	defer l.wire.mu.Unlock()
	if l.wire.opened != 1 || l.wire.closed != 0 {
		t.Errorf("the unchanged destination was opened %d times, closed %d", l.wire.opened, l.wire.closed)
	}
}

func TestChangedDestinationTakesOverTheBacklog(t *testing.T) {
	var mu sync.Mutex
	up := false
	l := newLab(t, func(d *message.Delivery) (adapters.Reply, error) {
		mu.Lock()
		defer mu.Unlock()
		if !up {
			return adapters.Reply{}, errors.New("refused")
		}
		return takes(d)
	})
	l.start()
	l.take("A01", "1", "C1")
	await(t, "a failed try", func() bool { return l.engine.QueueStates(time.Now())[0].LastError != "" })
	mu.Lock()
	up = true
	mu.Unlock()
	l.write("feeds/f.yaml", strings.Replace(wireFeed, "id: out", "id: elsewhere", 1))
	if _, err := l.engine.ReloadNow(); err != nil {
		t.Fatal(err)
	}
	await(t, "the delivery", func() bool { return l.totals().Copies[message.Delivered] == 1 })
	await(t, "the old destination to be closed", func() bool {
		l.wire.mu.Lock()
		defer l.wire.mu.Unlock()
		return l.wire.opened == 2 && l.wire.closed == 1
	})
}

func TestDestinationWithWorkCannotBeRemoved(t *testing.T) {
	l := newLab(t, func(*message.Delivery) (adapters.Reply, error) { return adapters.Reply{}, errors.New("refused") })
	l.start()
	l.take("A01", "1", "C1")
	l.write("feeds/f.yaml", strings.Replace(wireFeed, "to: out", "to: renamed", 1))
	problems, err := l.engine.ReloadNow()
	if err == nil || !slices.ContainsFunc(problems, func(p conf.Problem) bool { return strings.Contains(p.Text, `"f/out"`) }) {
		t.Errorf("removed with work queued: %v %v", problems, err)
	}
}

// What a person queues for a destination that is gone would be sent by nobody,
// and the next start would refuse to forget it.
func TestNothingIsQueuedForADestinationThatIsGone(t *testing.T) {
	l := newLab(t, func(*message.Delivery) (adapters.Reply, error) { return adapters.Reply{Code: "AR"}, nil })
	l.start()
	r := l.take("A01", "1", "C1")
	await(t, "the dead letter", func() bool { return l.totals().Copies[message.DeadLettered] == 1 })
	l.write("feeds/f.yaml", strings.Replace(wireFeed, "to: out", "to: renamed", 1))
	if problems, err := l.engine.ReloadNow(); err != nil {
		t.Fatal(err, problems)
	}
	key, desk := message.Key{Seq: r.Seq}, l.engine.Store()
	if err := desk.Requeue(context.Background(), key, store.Person{Name: "ann"}); !errors.Is(err, store.ErrState) {
		t.Errorf("queued again: %v", err)
	}
	if _, err := desk.Resend(context.Background(), key, store.Person{Name: "ann"}); !errors.Is(err, store.ErrState) {
		t.Errorf("sent again: %v", err)
	}
	l.stop()
	l.start()
}

func TestARenewedSecretIsSeen(t *testing.T) {
	l := newLab(t, takes)
	l.write("secrets/research", "0123456789abcdef0123456789abcdef")
	l.write("spine.yaml", wireSpine+"secrets: { research: \"${file:secrets/research}\" }\n")
	l.start()
	before := l.engine.fingerprint()
	l.write("secrets/research", "0123456789abcdef0123456789abcdef0")
	if l.engine.fingerprint() == before {
		t.Error("nobody would look")
	}
}

func TestBrokenFolderRunsTheLastGoodProject(t *testing.T) {
	l := newLab(t, takes)
	l.start()
	was := l.engine.Plan().Hash()
	l.stop()
	l.write("feeds/f.yaml", "spine: v1\nfeed: [\n")
	l.start()
	if l.engine.Plan().Hash() != was {
		t.Errorf("runs %s, was %s", l.engine.Plan().Hash(), was)
	}
	if s := l.engine.Status(); s.ReloadError == "" {
		t.Error("status does not say so")
	}
	if !strings.Contains(l.log.String(), "running the last good project instead") {
		t.Error("the log does not say so")
	}
	l.take("A01", "1", "C1")
	await(t, "the delivery", func() bool { return l.totals().Copies[message.Delivered] == 1 })
}

func TestNothingToRun(t *testing.T) {
	l := newLab(t, takes)
	l.write("feeds/f.yaml", "spine: v1\nfeed: [\n")
	if _, problems, err := Open(l.options()); !errors.Is(err, ErrProject) || len(problems) == 0 {
		t.Errorf("open: %v %v", problems, err)
	}
}

func TestQueuedCopiesSurviveARestart(t *testing.T) {
	var mu sync.Mutex
	var got []string
	down := true
	l := newLab(t, func(d *message.Delivery) (adapters.Reply, error) {
		mu.Lock()
		defer mu.Unlock()
		if down {
			return adapters.Reply{}, errors.New("refused")
		}
		got = append(got, d.ControlID)
		return takes(d)
	})
	l.start()
	var want []string
	for i := range 50 {
		want = append(want, fmt.Sprintf("C%02d", i))
		l.take("A01", "one patient", want[i])
	}
	l.stop()
	mu.Lock()
	down = false
	mu.Unlock()
	l.start()
	await(t, "50 deliveries", func() bool { return l.totals().Copies[message.Delivered] == 50 })
	mu.Lock()
	defer mu.Unlock()
	if !slices.Equal(got, want) {
		t.Errorf("order: %v", got)
	}
}

// failing is a store whose disk gives out.
type failing struct {
	Backend
	fatal func(error)
}

func (f *failing) Append(context.Context, *message.Decision) (message.Receipt, error) {
	f.fatal(store.ErrFailed)
	return message.Receipt{}, store.ErrFailed
}

func TestFailedStoreEndsTheEngine(t *testing.T) {
	l := newLab(t, takes)
	var f *failing
	l.wrap = func(b Backend) Backend { f = &failing{Backend: b}; return f }
	l.start()
	f.fatal = l.engine.fail
	accept := <-l.wire.accept
	env := &message.Envelope{Source: "f/in", Body: message.InMemory(adt("A01", "1", "C1"))}
	if _, err := accept(t.Context(), env); !errors.Is(err, store.ErrFailed) {
		t.Errorf("accept: %v", err)
	}
	if _, err := accept(t.Context(), env); !errors.Is(err, adapters.ErrBusy) {
		t.Errorf("accepting went on: %v", err)
	}
	if err := l.stop(); !errors.Is(err, store.ErrFailed) {
		t.Errorf("run ended with %v", err)
	}
}

func TestBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBudget(100)
		if b.take(t.Context(), 60) != nil {
			t.Fatal("the first")
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		defer cancel()
		if err := b.take(ctx, 60); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("more than there is: %v", err)
		}
		got := make(chan error, 1)
		go func() { got <- b.take(t.Context(), 500) }() // larger than the whole: alone, it passes
		synctest.Wait()
		b.give(60)
		if err := <-got; err != nil {
			t.Errorf("the large one: %v", err)
		}
	})
}

func TestStackWithoutArguments(t *testing.T) {
	in := "goroutine 7 [running]:\npanic({0x1?, \"SECRET\"})\n\t/src/panic.go:1\nmain.f(0xc000, {0x5, \"SECRET\"})\n\t/src/f.go:3 +0x1\n"
	out := string(stackWithoutArguments([]byte(in)))
	if strings.Contains(out, "SECRET") || !strings.Contains(out, "main.f\n\t/src/f.go:3") {
		t.Errorf("%s", out)
	}
}

// logBuffer is a log that is written by many and read by the test.
type logBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logBuffer) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logBuffer) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

func TestReleaseAsksOnlyTheFeedsThatHeld(t *testing.T) {
	l := newLab(t, takes)
	l.write("spine.yaml", wireSpine+"listeners:\n  in: { wire: { id: in }, charset: { use_msh18: true, otherwise: windows-1252 } }\n")
	first := strings.Replace(wireFeed, "in: { wire: { id: in }, charset: { use_msh18: true, otherwise: windows-1252 } }", "in: { listener: in }", 1)
	second := strings.NewReplacer("feed: f", "feed: g", `"A03"`, `"A99"`).Replace(first)
	l.write("feeds/f.yaml", first)
	l.write("feeds/g.yaml", second)
	l.start()
	accept := <-l.wire.accept
	r, err := accept(t.Context(), &message.Envelope{Source: "in", Body: message.InMemory(adt("A03", "1", "C1"))})
	if err != nil || r.Outcome != message.Held {
		t.Fatalf("%+v %v", r, err)
	}
	await(t, "the copy of the feed that did not hold", func() bool { return l.totals().Copies[message.Delivered] == 1 })
	d, err := l.engine.ReleaseMessage(t.Context(), r.ID, store.Person{Name: "ann"})
	if err != nil || len(d.Deliveries) != 1 || len(d.Parts) != 2 {
		t.Fatalf("%+v %v", d, err)
	}
	await(t, "the released copy", func() bool { return l.totals().Copies[message.Delivered] == 2 })
}

func TestAStuckLaneHoldsNoOtherUp(t *testing.T) {
	stuck := make(chan struct{})
	var mu sync.Mutex
	got := map[string]int{}
	l := newLab(t, func(d *message.Delivery) (adapters.Reply, error) {
		if d.ControlID == "A2" { // patient A's second message takes as long as the test
			<-stuck
		}
		mu.Lock()
		got[d.ControlID[:1]]++
		mu.Unlock()
		return takes(d)
	})
	g := &gate{open: make(chan struct{}), held: make(chan []message.Finished, 100)}
	l.wrap = func(b Backend) Backend { g.Backend = b; return g }
	l.start()
	count := func(lane string) int { mu.Lock(); defer mu.Unlock(); return got[lane] }
	l.take("A01", "X", "X1")
	<-g.held // from now on records gather: the next one frees three lanes at once, A first
	for _, lane := range []string{"A", "B", "C"} {
		l.take("A01", lane, lane+"1")
		await(t, lane+"1", func() bool { return count(lane) == 1 })
	}
	for _, lane := range []string{"A", "B", "C"} {
		l.take("A01", lane, lane+"2")
	}
	close(g.open)
	await(t, "the other lanes", func() bool { return count("B") == 2 && count("C") == 2 })
	close(stuck)
	await(t, "the stuck one", func() bool { return l.totals().Copies[message.Delivered] == 7 })
}

// narrow is a store with records of one copy.
type narrow struct{ Backend }

func (n narrow) Append(ctx context.Context, d *message.Decision) (message.Receipt, error) {
	if len(d.Deliveries) > 1 {
		return message.Receipt{}, fmt.Errorf("%w: %d copies", store.ErrTooLarge, len(d.Deliveries))
	}
	return n.Backend.Append(ctx, d)
}

// A sender that gets no acknowledgement comes again with the same message for ever.
func TestWhatFitsIntoNoRecordIsHeld(t *testing.T) {
	l := newLab(t, takes)
	l.write("feeds/f.yaml", strings.Replace(wireFeed, "    order:", "    emit: [ { set: { MSH-3: A } }, { set: { MSH-3: B } } ]\n    order:", 1))
	l.wrap = func(b Backend) Backend { return narrow{b} }
	l.start()
	r := l.take("A01", "1", "C1")
	rec, err := l.engine.store.Get(r.ID)
	if err != nil || r.Reply.Code != "AA" || rec.Outcome != message.Held || rec.Control != "C1" || rec.Reason != "too large for one record: 2 copies" {
		t.Errorf("%+v %+v %v", r, rec, err)
	}
}

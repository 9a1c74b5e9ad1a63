package routes

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
)

// The kinds of these tests decode as little as a kind can.

type fakeSource struct{ claims []string }

func (fakeSource) Open(adapters.SourceEnv) (adapters.Source, error) { return nil, nil }
func (f fakeSource) Key() string                                    { return strings.Join(f.claims, " ") }
func (f fakeSource) Claims() []string                               { return f.claims }

type fakeDestination struct {
	claims  []string
	traits  adapters.Traits
	timeout time.Duration
}

func (*fakeDestination) Open(adapters.DestinationEnv) (adapters.Destination, error) { return nil, nil }
func (f *fakeDestination) Key() string                                              { return strings.Join(f.claims, " ") }
func (f *fakeDestination) Claims() []string                                         { return f.claims }
func (f *fakeDestination) Traits() adapters.Traits                                  { return f.traits }
func (f *fakeDestination) SetReplyTimeout(d time.Duration)                          { f.timeout = d }

func testKinds() []adapters.Kind {
	return []adapters.Kind{
		{Name: "mllp",
			Source: func(n *conf.Node) adapters.SourceConfig {
				return fakeSource{[]string{"port " + n.Map("mllp", "listen", "tls")["listen"].Text()}}
			},
			Destination: func(n *conf.Node) adapters.DestinationConfig {
				m := n.Map("mllp", "connect", "connections")
				return &fakeDestination{traits: adapters.Traits{Batch: 1, Concurrency: m["connections"].Int(1, 1, 64), NeedsReply: true}}
			}},
		{Name: "mailbox",
			Source: func(n *conf.Node) adapters.SourceConfig {
				return fakeSource{[]string{"mailbox-in " + n.Map("mailbox", "dir", "files", "ready", "batch", "after")["dir"].Text()}}
			},
			Destination: func(n *conf.Node) adapters.DestinationConfig {
				m := n.Map("mailbox", "dir")
				return &fakeDestination{claims: []string{"mailbox-out " + m["dir"].Text()}, traits: adapters.Traits{Batch: 512, Concurrency: 1}}
			}},
		{Name: "sink", Destination: func(n *conf.Node) adapters.DestinationConfig {
			return &fakeDestination{traits: adapters.Traits{Batch: 1, Concurrency: 1}}
		}},
	}
}

const testSpine = `spine: v1
environment: live
listeners:
  pas:
    mllp: { listen: "0.0.0.0:2575" }
    charset: { use_msh18: true, otherwise: windows-1252 }
peers:
  epr:
    mllp: { connect: "epr:6661" }
    reply: { AA: done, AE: { retry: 5, then: stop }, AR: dead_letter, none: { after: 30s, do: retry } }
    retry: { give_up_after: never }
`

// testFeed takes everything from pas and delivers it to epr; rest goes between.
func testFeed(rest string) string {
	return "spine: v1\nfeed: f\nsources:\n  in: { listener: pas }\n" + rest
}

const toEPR = "deliver:\n  - { to: epr, peer: epr }\nunrouted: hold\n"

func projectFS(files map[string]string) fstest.MapFS {
	out := fstest.MapFS{}
	for name, text := range files {
		out[name] = &fstest.MapFile{Data: []byte(text)}
	}
	if out["spine.yaml"] == nil {
		out["spine.yaml"] = &fstest.MapFile{Data: []byte(testSpine)}
	}
	return out
}

func testOptions() LoadOptions {
	return LoadOptions{Kinds: testKinds(), Env: func(n string) (string, bool) { return "RXX", n == "TRUST" }}
}

func mustLoad(t testing.TB, files map[string]string) *Plan {
	t.Helper()
	p, problems := Load(projectFS(files), testOptions())
	for _, pr := range problems {
		if pr.Severity == conf.Error {
			t.Errorf("%s", pr)
		}
	}
	if p == nil {
		t.FailNow()
	}
	return p
}

func oneFeed(t testing.TB, rest string) *Plan {
	t.Helper()
	return mustLoad(t, map[string]string{"feeds/f.yaml": testFeed(rest)})
}

var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// adt makes a message of our own; header edits MSH fields by number.
func adt(event string, header map[int]string) string {
	msh := strings.Split(`MSH|^~\&|PAS|RXX|EPR|RXX|20260301120000||ADT^`+event+`|C17|P|2.5.1||||||`, "|")
	for n, v := range header {
		msh[n-1] = v
	}
	return strings.Join(msh, "|") + "\r" +
		"EVN|" + event + "|20260301120000\r" +
		"PID|1||777^^^RXX^PI~9990000018^^^NHS^NH||Test^Ann^\"\"||19700101|F|||1 Road^^Town\r" +
		"NK1|1|Other^Ned\rNK1|2|Third^Ted\r" +
		"PV1|1|I|W7^2^B||||||| 300 |||||||||COMM\r"
}

func envelope(body string) *message.Envelope {
	return &message.Envelope{ID: message.ID{1}, Source: "pas", Remote: "10.1.2.3:40000", Body: message.InMemory([]byte(body)), Received: testNow}
}

func decide(t testing.TB, p *Plan, body string) *message.Decision {
	t.Helper()
	d := p.Decide(envelope(body), testNow)
	checkDecision(t, d)
	return d
}

// checkDecision holds what is true of every decision.
func checkDecision(t testing.TB, d *message.Decision) {
	t.Helper()
	copies := 0
	for _, p := range d.Parts {
		copies += p.Copies
		if p.Outcome != message.Routed && p.Reason == "" {
			t.Errorf("part of %q is %s without a reason", p.Feed, p.Outcome)
		}
		for _, content := range []string{"Test", "Ann", "9990000018", "C17"} {
			if strings.Contains(p.Reason, content) {
				t.Errorf("the reason holds content: %s", p.Reason)
			}
		}
	}
	if copies != len(d.Deliveries) {
		t.Errorf("parts count %d copies, there are %d", copies, len(d.Deliveries))
	}
	if d.Outcome == 0 {
		t.Error("no outcome")
	}
}

func bodyOf(t testing.TB, b message.Body) string {
	t.Helper()
	all, err := b.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return string(all)
}

func line(body, id string) string {
	for _, s := range strings.Split(body, "\r") {
		if strings.HasPrefix(s, id) {
			return s
		}
	}
	return fmt.Sprintf("no %s", id)
}

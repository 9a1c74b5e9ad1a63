package routes

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/spine-engine/spine-engine/transforms"
)

func TestQueuesAndPolicies(t *testing.T) {
	spine := strings.Replace(testSpine, "    retry: { give_up_after: never }\n", `    order: { per: PID-3(5=PI).1 }
    retry: { first: 1s, factor: 3, cap: 1m, jitter: 10%, give_up_after: 72h, then: hold }
    rate: 120/m
    pause: [ { weekly: "Sun 02:00-04:00 Europe/London", reason: EPR backup } ]
`, 1)
	p := mustLoad(t, map[string]string{"spine.yaml": spine, "feeds/f.yaml": testFeed(`
deliver:
  - { to: epr, peer: epr }
  - { to: box, mailbox: { dir: out, name: x.hl7 }, retry: { give_up_after: never } }
  - { to: gone, mailbox: { dir: gone }, retired: true, retry: { give_up_after: never } }
  - { to: trial, only_in: test, mailbox: { dir: trial }, retry: { give_up_after: never } }
unrouted: hold
`)})
	var queues []string
	for _, d := range p.Destinations() {
		queues = append(queues, d.Queue)
	}
	if want := []string{"epr", "f/box", "f/gone"}; !slices.Equal(queues, want) {
		t.Fatalf("queues %v, want %v", queues, want)
	}
	epr, box, gone := p.Destinations()[0], p.Destinations()[1], p.Destinations()[2]
	pol := epr.Policy
	if pol.Rate != 2 || !pol.PerKey || pol.ReplyAfter != 30*time.Second || epr.Place.File != "spine.yaml" || len(pol.Pause) != 1 {
		t.Errorf("%+v", pol)
	}
	if r := pol.Retry; r.First != time.Second || r.Factor != 3 || r.Cap != time.Minute || r.Jitter != 0.1 || r.GiveUpAfter != 72*time.Hour || r.Then != DoHold {
		t.Errorf("%+v", r)
	}
	ae := pol.Reply["AE"]
	if ae.Do != DoRetry || ae.Retries != 5 || ae.Then != DoStop || pol.Reply["AA"].Do != DoDone || pol.Reply["wrong_id"].Do != DoRetry || pol.Reply["none"].Retries != -1 {
		t.Errorf("%+v", pol.Reply)
	}
	if epr.Config.(*fakeDestination).timeout != 30*time.Second {
		t.Error("the destination was not told how long to wait")
	}
	if box.Policy.Batch != 512 || box.Policy.Retry.GiveUpAfter != 0 || box.Policy.Reply["written"].Do != DoDone {
		t.Errorf("%+v", box.Policy)
	}
	if !gone.Retired {
		t.Error("retired was not read")
	}
	d := decide(t, p, adt("A01", nil))
	if len(d.Deliveries) != 2 || d.Deliveries[0].Lane != "777" || d.Deliveries[1].Name != "x.hl7" {
		t.Errorf("a retired destination gets nothing new, a peer's key is used: %v", d.Deliveries)
	}
}

func TestPauseFollowsTheWallClock(t *testing.T) {
	p, problem := parseWeekly("Sun 23:00-02:00 Europe/London")
	if problem != "" {
		t.Fatal(problem)
	}
	for _, c := range []struct {
		name, at string
		until    string // "" = not active
	}{
		{"before", "2026-06-07T21:59:00Z", ""},
		{"summer time", "2026-06-07T22:00:00Z", "2026-06-08T01:00:00Z"},
		{"after midnight", "2026-06-08T00:59:00Z", "2026-06-08T01:00:00Z"},
		{"end", "2026-06-08T01:00:00Z", ""},
		{"winter time", "2026-12-06T23:00:00Z", "2026-12-07T02:00:00Z"},
		{"another day", "2026-12-09T23:30:00Z", ""},
	} {
		at, err := time.Parse(time.RFC3339, c.at)
		if err != nil {
			t.Fatal(err)
		}
		until, active := p.Active(at)
		if active != (c.until != "") || active && until.UTC().Format(time.RFC3339) != c.until {
			t.Errorf("%s: %v %v", c.name, active, until)
		}
	}
}

func TestSettings(t *testing.T) {
	p := mustLoad(t, map[string]string{"feeds/f.yaml": testFeed(toEPR), "spine.yaml": testSpine +
		"store: { dir: /var/spine, min_free: 1GiB }\nadmin: { listen: \"127.0.0.1:8080\", socket: s.sock }\nlimits: { in_memory: 64KiB, parse: 1MiB, in_flight_bytes: 8MiB }\nreload: asked\n"})
	want := Settings{StoreDir: "/var/spine", MinFree: 1 << 30, AdminListen: "127.0.0.1:8080", AdminSocket: "s.sock",
		Limits: Limits{InMemory: 64 << 10, Parse: 1 << 20, InFlightBytes: 8 << 20}, Reload: ReloadAsked}
	if p.Settings != want || p.Environment != "live" {
		t.Fatalf("%+v %s", p.Settings, p.Environment)
	}
	for listen, sound := range map[string]bool{"127.0.0.1:80": true, "[::1]:80": true, "localhost:80": true, "localhost:": false,
		"0.0.0.0:80": false, ":80": false, "10.1.1.1:80": false, "127.0.0.1": false, "evil.localhost:80": false} {
		_, problems := Load(projectFS(map[string]string{"feeds/f.yaml": testFeed(toEPR), "spine.yaml": testSpine + "admin: { listen: \"" + listen + "\" }\n"}), testOptions())
		if (len(problems) == 0) != sound {
			t.Errorf("%s: %v", listen, problems)
		}
	}
	broken := fstest.MapFS{"spine.yaml": {Data: []byte("spine: v1\nstore: { dir: there }\nfoo: 1\n")}}
	if s := ReadSettings(broken, testOptions()); s.StoreDir != "there" || s.AdminSocket != "there/admin.sock" {
		t.Fatalf("%+v", s)
	}
	if s := ReadSettings(fstest.MapFS{}, testOptions()); s.StoreDir != "store" {
		t.Fatalf("%+v", s)
	}
}

func TestHash(t *testing.T) {
	files := map[string]string{"feeds/f.yaml": testFeed("transform:\n  - set: { MSH-3: \"${env:TRUST}\", MSH-4: \"${file:secret}\" }\n" + toEPR), "secret": "s1\n"}
	load := func(change func(map[string]string, *LoadOptions)) *Plan {
		f, o := map[string]string{}, testOptions()
		for k, v := range files {
			f[k] = v
		}
		change(f, &o)
		p, problems := Load(projectFS(f), o)
		if p == nil {
			t.Fatal(problems)
		}
		return p
	}
	base := load(func(map[string]string, *LoadOptions) {})
	for _, c := range []struct {
		name             string
		change           func(map[string]string, *LoadOptions)
		sameHash, sameAs bool
	}{
		{"nothing", func(map[string]string, *LoadOptions) {}, true, true},
		{"a file that is not of the project", func(f map[string]string, _ *LoadOptions) { f["notes.txt"] = "x" }, true, true},
		{"a feed", func(f map[string]string, _ *LoadOptions) { f["feeds/f.yaml"] += "# x\n" }, false, false},
		{"the environment", func(_ map[string]string, o *LoadOptions) { o.Environment = "test" }, false, false},
		{"a secret", func(f map[string]string, _ *LoadOptions) { f["secret"] = "s2" }, true, false},
		{"a variable", func(_ map[string]string, o *LoadOptions) {
			o.Env = func(string) (string, bool) { return "RYY", true }
		}, true, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := load(c.change)
			if (p.Hash() == base.Hash()) != c.sameHash || p.Same(base) != c.sameAs {
				t.Fatalf("hash equal %v, same %v", p.Hash() == base.Hash(), p.Same(base))
			}
		})
	}
	if _, secret := base.Files()["secret"]; secret {
		t.Fatal("a secret is in the archive")
	}
}

func TestArchiveLoadsAgain(t *testing.T) {
	p := mustLoad(t, map[string]string{"feeds/f.yaml": testFeed("tables:\n  t: { csv: tables/t.csv, key: k }\ntransform:\n  - map: { at: PID-8, table: t, from: v, unmapped: keep }\n" + toEPR),
		"tables/t.csv": "k,v\nF,2\n", "values/live.yaml": "x: y\n", "messages/sample.hl7": "not part of it"})
	packed, err := p.Zip()
	if err != nil {
		t.Fatal(err)
	}
	again, err := p.Zip()
	if err != nil || !bytes.Equal(packed, again) {
		t.Fatal("equal files must give equal bytes")
	}
	r, err := zip.NewReader(bytes.NewReader(packed), int64(len(packed)))
	if err != nil {
		t.Fatal(err)
	}
	q, problems := Load(r, testOptions())
	if q == nil || q.Hash() != p.Hash() {
		t.Fatalf("%v", problems)
	}
}

// A plan serves many goroutines; run with -race.
func TestManyGoroutines(t *testing.T) {
	p := oneFeed(t, "let:\n  w: msg[\"PV1-3.1\"]\ntransform:\n  - set: { MSH-3: '= vars.w + msg[\"MSH-10\"]' }\n"+toEPR)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			id := fmt.Sprintf("ID%d", i)
			for range 200 {
				d := p.Decide(envelope(adt("A01", map[int]string{10: id})), testNow)
				b, err := d.Deliveries[0].Body.ReadAll()
				if err != nil || !strings.Contains(string(b), "|W7"+id+"|") || d.Deliveries[0].ControlID != id {
					t.Errorf("%s: %v", id, err)
					return
				}
			}
		})
	}
	wg.Wait()
}

// The example of every step that this version has compiles.
func TestExamplesOfSteps(t *testing.T) {
	for _, w := range transforms.Vocabulary() {
		if !w.Ready {
			continue
		}
		t.Run(w.Name, func(t *testing.T) {
			before := ""
			if w.Name == "from_xml" {
				before = "to_xml: positional\n  - "
			}
			p := mustLoad(t, map[string]string{"feeds/f.yaml": testFeed("steps:\n  as-a08: [ { set: { MSH-9.2: A08 } } ]\ntables:\n  specialty: { csv: tables/s.csv, key: pas }\ntransform:\n  - " + before + w.Example + "\n" + toEPR),
				"tables/s.csv": "pas,code,name\n300,1,x\n", "templates/note.hl7": "MSH|^~\\&|A|B|||{{ msg[\"MSH-7\"] }}||ADT^A31|{{ msg.control_id }}|P|2.4\n"})
			if len(p.feeds[0].steps) != 1+len(before)/len("to_xml: positional\n  - ") {
				t.Fatal("the example makes no step")
			}
		})
	}
}

// Errors and decisions print no content.
func TestNothingPrintsContent(t *testing.T) {
	p := oneFeed(t, "deliver:\n  - { to: epr, peer: epr, transform: [ { set: { MSH-5: X } } ] }\nunrouted: hold\n")
	env := envelope(adt("A01", nil))
	d := p.Decide(env, testNow)
	var out bytes.Buffer
	fmt.Fprintf(&out, "%v %+v %s %v", env, d.Deliveries[0].Body, &d.Deliveries[0], d.Parts)
	if b, _ := io.ReadAll(&out); bytes.Contains(b, []byte("Test")) || bytes.Contains(b, []byte("9990000018")) {
		t.Fatalf("%s", b)
	}
}

func FuzzFeed(f *testing.F) {
	f.Add(testFeed(toEPR))
	f.Add(testFeed("let:\n  a: msg[\"PID-3\"]\naccept:\n  - if: vars.a == \"\"\n    then: { drop: x }\ntransform:\n  - set: { MSH-9: { 1: A, 2: { 1: b } } }\n  - when: { if: true, do: [ { hold: x } ] }\n" + toEPR))
	f.Add(testFeed("tables:\n  t: { rows: { a: { b: c } } }\ntransform:\n  - map: { at: \"OBX(*)-3.1\", table: t, from: b, unmapped: { default: 9 } }\n" + toEPR))
	f.Fuzz(func(t *testing.T, feed string) {
		p, problems := Load(projectFS(map[string]string{"feeds/f.yaml": feed}), testOptions())
		if p == nil {
			if len(problems) == 0 {
				t.Fatal("no plan and no problem")
			}
			return
		}
		d := p.Decide(envelope(adt("A01", nil)), testNow)
		if place, why := d.Why(); place.File == "panic" {
			t.Fatal(why)
		}
	})
}

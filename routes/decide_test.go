package routes

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/internal/message"
)

func TestOutcomes(t *testing.T) {
	for _, c := range []struct {
		name, feed, msg string
		outcome         message.Outcome
		reply, reason   string
		line            int // of the rule
		copies          int
	}{
		{"routed", toEPR, adt("A01", nil), message.Routed, "AA", "", 0, 1},
		{"require not met drops", "accept:\n  - require: msg.event == \"A02\"\n    otherwise: { drop: not subscribed }\n" + toEPR,
			adt("A01", nil), message.Dropped, "AA", "not subscribed", 6, 0},
		{"if met holds", "accept:\n  - if: msg[\"PV1-3.1\"].startsWith(\"W\")\n    then: { hold: ward }\n" + toEPR,
			adt("A01", nil), message.Held, "AA", "ward", 6, 0},
		{"reject", "accept:\n  - if: msg.event == \"A01\"\n    then: { reject: { ack: AE, code: \"101\", at: PID-3, text: no number } }\n" + toEPR,
			adt("A01", nil), message.Rejected, "AE", "no number", 6, 0},
		{"first rule that decides ends it", "accept:\n  - if: msg.event == \"A01\"\n    then: { drop: first }\n  - if: msg.event == \"A01\"\n    then: { hold: second }\n" + toEPR,
			adt("A01", nil), message.Dropped, "AA", "first", 6, 0},
		{"a failing expression holds", "tables:\n  t: { rows: { a: b } }\naccept:\n  - if: table(\"t\").get(msg[\"PID-5.1\"]) == \"b\"\n    then: { drop: x }\n" + toEPR,
			adt("A01", nil), message.Held, "AA", "the code is not in table t; ask .has(code) first", 8, 0},
		{"unrouted", "deliver:\n  - { to: epr, peer: epr, when: msg.event == \"A02\" }\nunrouted: hold\n",
			adt("A01", nil), message.Unrouted, "AA", "no destination took it", 7, 0},
		{"unrouted dropped", "deliver:\n  - { to: epr, peer: epr, when: msg.event == \"A02\" }\nunrouted: { drop: nobody }\n",
			adt("A01", nil), message.Dropped, "AA", "nobody", 7, 0},
		{"unmapped code holds", "tables:\n  t: { rows: { a: b } }\ntransform:\n  - map: { at: PID-8, table: t, unmapped: hold }\n" + toEPR,
			adt("A01", nil), message.Held, "AA", `the code at PID-8 is not in table "t"`, 8, 0},
		{"unmapped code rejects", "tables:\n  t: { rows: { a: b } }\ntransform:\n  - map: { at: PID-8, table: t, unmapped: reject }\n" + toEPR,
			adt("A01", nil), message.Rejected, "AE", `the code at PID-8 is not in table "t"`, 8, 0},
		{"nothing to write to", "transform:\n  - set: { \"PID-3(5=XX).1\": z }\n" + toEPR,
			adt("A01", nil), message.Held, "AA", "nothing matches PID-3(5=XX).1, so there is nothing to write to; add if_none: skip or create", 6, 0},
		{"stop in a when step keeps its own place", "transform:\n  - when:\n      if: msg.event == \"A01\"\n      do:\n        - hold: look\n" + toEPR,
			adt("A01", nil), message.Held, "AA", "look", 9, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := decide(t, oneFeed(t, c.feed), c.msg)
			place, reason := d.Why()
			if d.Outcome != c.outcome || d.Reply.Code != c.reply || reason != c.reason || place.Line != c.line || len(d.Deliveries) != c.copies {
				t.Fatalf("got %s, reply %q, %d copies, %v %q", d.Outcome, d.Reply.Code, len(d.Deliveries), place, reason)
			}
			if d.Type != "ADT" || d.Event != "A01" || d.ControlID != "C17" {
				t.Fatalf("lists would show %s %s %s", d.Type, d.Event, d.ControlID)
			}
		})
	}
}

func TestRejectSaysWhere(t *testing.T) {
	p := oneFeed(t, "accept:\n  - if: msg.event == \"A01\"\n    then: { reject: { ack: AR, code: \"101\", at: PID-3, text: no number } }\n"+toEPR)
	d := decide(t, p, adt("A01", nil))
	want := message.ReplyError{Location: "PID-3", Code: "101", Text: "no number", Severity: "E"}
	if d.Reply.Code != "AR" || d.Reply.Text != "no number" || len(d.Reply.Errors) != 1 || d.Reply.Errors[0] != want {
		t.Fatalf("%+v", d.Reply)
	}
}

func TestReplies(t *testing.T) {
	ok, refuse := toEPR, "accept:\n  - if: msg.type != \"\"\n    then: { reject: { ack: AR, text: no } }\n"+toEPR
	for _, c := range []struct {
		name, feed string
		header     map[int]string
		want       string
	}{
		{"original mode", ok, nil, "AA"},
		{"original mode refused", refuse, nil, "AR"},
		{"enhanced, always", ok, map[int]string{15: "AL", 16: "NE"}, "CA"},
		{"enhanced, always, refused", refuse, map[int]string{15: "AL", 16: "NE"}, "CR"},
		{"enhanced, never", ok, map[int]string{15: "NE", 16: "NE"}, ""},
		{"enhanced, on error", ok, map[int]string{15: "ER", 16: "NE"}, ""},
		{"enhanced, on error, refused", refuse, map[int]string{15: "ER"}, "CR"},
		{"application acknowledgement asked for as well", ok, map[int]string{15: "AL", 16: "AL"}, "CA"},
		{"only an application acknowledgement", ok, map[int]string{15: "NE", 16: "AL"}, ""},
		{"an acknowledgement is not answered", ok, map[int]string{9: "ACK"}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			if d := decide(t, oneFeed(t, c.feed), adt("A01", c.header)); d.Reply.Code != c.want {
				t.Fatalf("got %q, want %q", d.Reply.Code, c.want)
			}
		})
	}
}

func TestUnreadable(t *testing.T) {
	spine := strings.Replace(testSpine, "    charset:", "    ack: { unparsable: %s }\n    charset:", 1)
	for _, c := range []struct{ name, unparsable, body, problem, want string }{
		{"header readable", "AR", "MSH|^^^^|A|B|C|D|||ADT^A01|C17|P|2.5\r", "", "AR"},
		{"header readable, enhanced", "AR", "MSH|^~\\&|A|B|C|D|||ADT^A01|C17|P|2.5|||AL|NE\r", "frame cut", "CR"},
		{"header readable, AE", "AE", "MSH|^~\\&|A|B|C|D|||ADT^A01|C17|P|2.5\r", "frame cut", "AE"},
		{"header readable, none", "none", "MSH|^~\\&|A|B|C|D|||ADT^A01|C17|P|2.5\r", "frame cut", "AR"},
		{"header readable, an acknowledgement", "AR", "MSH|^~\\&|A|B|C|D|||ACK|C17|P|2.5\rMSA|AA|1\r", "frame cut", ""},
		{"no header", "AR", "hello", "", "AR"},
		{"no header, none", "none", "hello", "", ""},
		{"empty", "AR", "", "", "AR"},
		{"unknown character set", "AR", adt("A01", map[int]string{18: "KLINGON"}), "", "AR"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := mustLoad(t, map[string]string{"spine.yaml": fmt.Sprintf(spine, c.unparsable), "feeds/f.yaml": testFeed(toEPR)})
			env := envelope(c.body)
			env.Problem = c.problem
			d := p.Decide(env, testNow)
			checkDecision(t, d)
			if d.Outcome != message.Quarantined || d.Reply.Code != c.want || len(d.Deliveries) != 0 {
				t.Fatalf("got %s %q", d.Outcome, d.Reply.Code)
			}
			if _, why := d.Why(); why == "" || strings.Contains(why, "KLINGON") {
				t.Fatalf("reason %q", why)
			}
		})
	}
}

func TestUnmatched(t *testing.T) {
	feed := strings.Replace(testFeed(toEPR), "listener: pas", "listener: pas, when: msg.event == \"A09\"", 1)
	for _, c := range []struct {
		name, unmatched, msg string
		outcome              message.Outcome
		reply                string
	}{
		{"default", "", adt("A01", nil), message.Held, "AA"},
		{"hold", "    unmatched: hold\n", adt("A01", nil), message.Held, "AA"},
		{"drop", "    unmatched: { drop: not ours }\n", adt("A01", nil), message.Dropped, "AA"},
		{"reject", "    unmatched: reject\n", adt("A01", nil), message.Rejected, "AR"},
		{"reject in detail", "    unmatched: { reject: { ack: AE, text: no } }\n", adt("A01", nil), message.Rejected, "AE"},
		{"an answer", "", adt("A01", nil) + "MSA|AA|7\r", message.Quarantined, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			spine := strings.Replace(testSpine, "    charset:", c.unmatched+"    charset:", 1)
			p := mustLoad(t, map[string]string{"spine.yaml": spine, "feeds/f.yaml": feed})
			d := decide(t, p, c.msg)
			if d.Outcome != c.outcome || d.Reply.Code != c.reply {
				t.Fatalf("got %s %q", d.Outcome, d.Reply.Code)
			}
		})
	}
}

// Several feeds on one listener: each has its word, the weightiest is the message's.
func TestParts(t *testing.T) {
	feeds := map[string]string{
		"routed":   "accept: []\n",
		"dropped":  "accept:\n  - if: msg.type == \"ADT\"\n    then: { drop: no }\n",
		"held":     "accept:\n  - if: msg.type == \"ADT\"\n    then: { hold: no }\n",
		"rejected": "accept:\n  - if: msg.type == \"ADT\"\n    then: { reject: { ack: AE, text: no } }\n",
		"unrouted": "",
	}
	for _, c := range []struct {
		names   string
		outcome message.Outcome
		copies  int
		reply   string
	}{
		{"routed routed", message.Routed, 2, "AA"},
		{"routed dropped", message.Routed, 1, "AA"},
		{"unrouted dropped", message.Unrouted, 0, "AA"},
		{"unrouted routed", message.Routed, 1, "AA"},
		{"held routed", message.Held, 1, "AA"},
		{"held unrouted dropped", message.Held, 0, "AA"},
		{"rejected routed held", message.Rejected, 0, "AE"},
		{"dropped dropped", message.Dropped, 0, "AA"},
	} {
		t.Run(c.names, func(t *testing.T) {
			files := map[string]string{}
			names := strings.Fields(c.names)
			for i, n := range names {
				text := strings.Replace(testFeed(feeds[n]+toEPR), "feed: f", fmt.Sprintf("feed: f%d", i), 1)
				if n == "unrouted" {
					text = strings.Replace(text, "peer: epr }", "peer: epr, when: msg.event == \"A99\" }", 1)
				}
				files[fmt.Sprintf("feeds/%d.yaml", i)] = text
			}
			d := decide(t, mustLoad(t, files), adt("A01", nil))
			if d.Outcome != c.outcome || len(d.Deliveries) != c.copies || d.Reply.Code != c.reply || len(d.Parts) != len(names) {
				t.Fatalf("got %s, %d copies, %q, %d parts", d.Outcome, len(d.Deliveries), d.Reply.Code, len(d.Parts))
			}
		})
	}
}

func TestTransformAndCopies(t *testing.T) {
	p := mustLoad(t, map[string]string{
		"tables/spec.csv":  "pas_code,code,name\r\n300,G1,\"General, medicine\"\r\n",
		"values/live.yaml": "trust: RXX01\n",
		"feeds/f.yaml": testFeed(`
tables:
  sex: { rows: { F: "2", M: "1" } }
  spec: { csv: tables/spec.csv, key: pas_code }
let:
  ward: msg["PV1-3.1"]
transform:
  - set: { PV1-10.1: '= msg["PV1-10.1"].trim()' }
  - set: { MSH-3: SPINE, MSH-4: "${value:trust}", EVN-4: { copy: MSH-3 }, ZPI-1: "${env:TRUST}-${env:NONE:-x}" }
  - map: { at: PID-8, table: sex, unmapped: keep }
  - map: { at: PV1-10.1, table: spec, from: code, put: { PV1-10.2: name }, unmapped: hold }
  - set: { MSH-9: { 1: ADT, 2: A31 } }
  - remove: ["NK1(*)"]
  - nullify: [PID-19]
  - default: { PID-10: Z, PID-8: 9, PID-5.3: none }
  - copy: { from: PID-3(5=NH), to: PID-2 }
  - when: { if: vars.ward == "W7", do: [ { set: { PV1-2: O } } ] }
deliver:
  - to: epr
    peer: epr
  - to: lims
    when: orig.event == "A01" && msg.event == "A31"
    mllp: { connect: "lims:1", connections: 4 }
    order: { per: PID-3(5=PI).1 }
    transform:
      - set: { MSH-5: LIMS, MSH-10: '= orig.control_id + "-L"', PID-3.1: gone }
    reply: { AA: done, AE: dead_letter, AR: dead_letter, none: { after: 20s, do: retry } }
    retry: { give_up_after: 24h, then: dead_letter }
  - to: box
    mailbox: { dir: out, name: '= msg["MSH-10"] + "_" + vars.ward + ".hl7"' }
    order: { per: "= vars.ward" }
    retry: { give_up_after: 7d, then: hold }
unrouted: hold
`)})
	original := adt("A01", nil)
	d := decide(t, p, original)
	if d.Outcome != message.Routed || len(d.Deliveries) != 3 {
		t.Fatalf("%s, %d copies: %v", d.Outcome, len(d.Deliveries), d.Parts)
	}
	epr, lims, box := d.Deliveries[0], d.Deliveries[1], d.Deliveries[2]
	got := bodyOf(t, epr.Body)
	for _, want := range []string{
		"MSH|^~\\&|SPINE|RXX01|EPR|RXX|20260301120000||ADT^A31|C17|P|2.5.1||||||",
		"EVN|A01|20260301120000||PAS",
		"PID|1|9990000018^^^NHS^NH|777^^^RXX^PI~9990000018^^^NHS^NH||Test^Ann^\"\"||19700101|2||Z|1 Road^^Town||||||||\"\"",
		"PV1|1|O|W7^2^B|||||||G1^General, medicine|||||||||COMM",
		"ZPI|RXX-x",
	} {
		if l := line(got, want[:3]); l != want {
			t.Errorf("got  %s\nwant %s", l, want)
		}
	}
	if strings.Contains(got, "NK1") {
		t.Error("NK1 was not removed")
	}
	if epr.Queue != "epr" || epr.Lane != "" || epr.ControlID != "C17" || epr.Feed != "f" || !epr.Queued.Equal(testNow) || epr.State != message.Queued {
		t.Errorf("%+v", epr)
	}
	if lims.Queue != "f/lims" || lims.Lane != "777" || lims.ControlID != "C17-L" {
		t.Errorf("the key is read before the destination's own transform: %+v", lims)
	}
	if l := line(bodyOf(t, lims.Body), "MSH"); !strings.Contains(l, "|LIMS|") || !strings.Contains(l, "|C17-L|") {
		t.Errorf("%s", l)
	}
	if box.Name != "C17_W7.hl7" || box.Lane != "W7" || bodyOf(t, box.Body) != got {
		t.Errorf("%+v", box)
	}
	if original != adt("A01", nil) {
		t.Error("the received bytes were changed")
	}
}

func TestUntouchedCopyIsTheReceivedBody(t *testing.T) {
	raw := "\xEF\xBB\xBF" + strings.ReplaceAll(adt("A01", nil), "\r", "\r\n") + "\x00"
	d := decide(t, oneFeed(t, toEPR), raw)
	if b, ok := d.Deliveries[0].Body.Bytes(); !ok || string(b) != raw {
		t.Fatal("an untouched copy must be byte-identical")
	}
}

func TestLargeEditedCopyIsPiecesOfItsOriginal(t *testing.T) {
	raw := adt("A01", nil) + "OBX|1|ED|PDF||" + strings.Repeat("QUJD", 300_000) + "\r"
	path := filepath.Join(t.TempDir(), "body")
	if err := os.WriteFile(path, []byte(raw), 0o600); err != nil {
		t.Fatal(err)
	}
	p := oneFeed(t, "transform:\n  - set: { MSH-5: LIMS }\n"+toEPR)
	for _, c := range []struct {
		name string
		body message.Body
	}{
		{"in memory", message.InMemory([]byte(raw))},
		{"in a file", message.InFile(message.File{Path: path, Size: int64(len(raw))})},
	} {
		t.Run(c.name, func(t *testing.T) {
			env := envelope("")
			env.Body = c.body
			d := p.Decide(env, testNow)
			checkDecision(t, d)
			b := d.Deliveries[0].Body
			if n := b.Footprint(); n > 1000 {
				t.Fatalf("the copy holds %d bytes of its own", n)
			}
			if got := bodyOf(t, b); got != strings.Replace(raw, "|EPR|", "|LIMS|", 1) {
				t.Fatal("the bytes differ from what set means")
			}
		})
	}
}

func TestOwnTransformHoldsItsCopyOnly(t *testing.T) {
	p := oneFeed(t, `
transform:
  - set: { MSH-3: SPINE }
deliver:
  - { to: epr, peer: epr, transform: [ { set: { MSH-5: A } }, { set: { "PID-3(5=XX).1": q } } ] }
  - { to: second, peer: epr }
  - { to: third, peer: epr, transform: [ { drop: not for third } ] }
unrouted: hold
`)
	d := decide(t, p, adt("A01", nil))
	if d.Outcome != message.Routed || len(d.Deliveries) != 2 {
		t.Fatalf("%s %d", d.Outcome, len(d.Deliveries))
	}
	held, sent := d.Deliveries[0], d.Deliveries[1]
	if held.State != message.CopyHeld || held.Rule.Line != 9 || held.Reason == "" || sent.State != message.Queued {
		t.Fatalf("%+v %+v", held, sent)
	}
	if a, b := bodyOf(t, held.Body), bodyOf(t, sent.Body); a != b || !strings.Contains(a, "|SPINE|") {
		t.Fatal("a held copy has the bytes before its own transform")
	}
}

func TestRelease(t *testing.T) {
	for _, c := range []struct{ name, feed string }{
		{"accept rule", "accept:\n  - if: msg.event == \"A01\"\n    then: { hold: look }\n" + toEPR},
		{"failing expression", "accept:\n  - if: int(msg[\"PID-5.1\"]) > 1\n    then: { hold: look }\n" + toEPR},
		{"unmapped code", "tables:\n  t: { rows: { a: b } }\ntransform:\n  - map: { at: PID-8, table: t, unmapped: hold }\n" + toEPR},
		{"hold step", "transform:\n  - hold: look\n" + toEPR},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := oneFeed(t, c.feed)
			first := decide(t, p, adt("A01", nil))
			if first.Outcome != message.Held {
				t.Fatal(first.Outcome)
			}
			place, _ := first.Why()
			d := p.DecideWaiving(envelope(adt("A01", nil)), testNow, []message.Place{place})
			if d.Outcome != message.Routed || len(d.Deliveries) != 1 {
				t.Fatalf("released: %s %v", d.Outcome, d.Parts)
			}
		})
	}
	t.Run("a step within when", func(t *testing.T) {
		p := oneFeed(t, "transform:\n  - when:\n      if: msg.event == \"A01\"\n      do:\n        - hold: look\n        - set: { MSH-3: NEW }\n"+toEPR)
		place, _ := decide(t, p, adt("A01", nil)).Why()
		d := p.DecideWaiving(envelope(adt("A01", nil)), testNow, []message.Place{place})
		if d.Outcome != message.Routed || !strings.Contains(bodyOf(t, d.Deliveries[0].Body), "|NEW|") {
			t.Fatalf("the steps after the waived one must be done: %s", d.Outcome)
		}
	})
	t.Run("a destination whose key fails", func(t *testing.T) {
		p := oneFeed(t, "deliver:\n  - { to: epr, peer: epr }\n  - { to: box, mailbox: { dir: o }, order: { per: '= string(int(msg[\"PID-5.1\"]))' }, retry: { give_up_after: never } }\nunrouted: hold\n")
		first := decide(t, p, adt("A01", nil))
		place, _ := first.Why()
		if first.Outcome != message.Held || len(first.Deliveries) != 0 || place.Line != 7 {
			t.Fatalf("%s %v", first.Outcome, place)
		}
		d := p.DecideWaiving(envelope(adt("A01", nil)), testNow, []message.Place{place})
		checkDecision(t, d)
		if d.Outcome != message.Routed || len(d.Deliveries) != 2 || d.Deliveries[1].State != message.CopyHeld || bodyOf(t, d.Deliveries[1].Body) != adt("A01", nil) {
			t.Fatalf("released: %s %v", d.Outcome, d.Deliveries)
		}
	})
	t.Run("a feed that is gone", func(t *testing.T) {
		p := oneFeed(t, toEPR)
		d := p.DecideAgain(envelope(adt("A01", nil)), testNow, Again{Feeds: []string{"old"}})
		if checkDecision(t, d); d.Outcome != message.Held {
			t.Fatal(d.Outcome)
		}
	})
	t.Run("only the feeds that held it", func(t *testing.T) {
		hold := "accept:\n  - if: msg.event == \"A01\"\n    then: { hold: look }\n"
		p := mustLoad(t, map[string]string{"feeds/a.yaml": testFeed(toEPR), "feeds/b.yaml": strings.Replace(testFeed(hold+toEPR), "feed: f", "feed: g", 1)})
		place, _ := decide(t, p, adt("A01", nil)).Why()
		d := p.DecideAgain(envelope(adt("A01", nil)), testNow, Again{Waived: []message.Place{place}, Feeds: []string{"g"}})
		if d.Outcome != message.Routed || len(d.Deliveries) != 1 || d.Deliveries[0].Feed != "g" {
			t.Fatalf("%s %v", d.Outcome, d.Deliveries)
		}
	})
}

func TestOrigin(t *testing.T) {
	spine := strings.Replace(testSpine, "    charset:", "    duplicates: { window: 7d }\n    charset:", 1)
	p := mustLoad(t, map[string]string{"spine.yaml": spine, "feeds/f.yaml": testFeed(toEPR)})
	origin := func(change func(*message.Envelope)) string {
		env := envelope(adt("A01", nil))
		change(env)
		checkDecision(t, p.Decide(env, testNow))
		return env.Origin
	}
	first := origin(func(*message.Envelope) {})
	for _, c := range []struct {
		name   string
		change func(*message.Envelope)
		same   bool
	}{
		{"repeat", func(*message.Envelope) {}, true},
		{"another port of the same peer", func(e *message.Envelope) { e.Remote = "10.1.2.3:1" }, true},
		{"another peer", func(e *message.Envelope) { e.Remote = "10.1.2.4:1" }, false},
		{"another body with the same control id", func(e *message.Envelope) { e.Body = message.InMemory([]byte(adt("A02", nil))) }, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := origin(c.change); (got == first) != c.same || got == "" {
				t.Fatalf("%q and %q", got, first)
			}
		})
	}
	if got := origin(func(e *message.Envelope) { e.Origin = "own" }); got != "own" {
		t.Fatalf("the source's own key is kept, got %q", got)
	}
	if oneFeed(t, toEPR).Decide(envelope(adt("A01", nil)), testNow).Envelope.Origin != "" {
		t.Fatal("not declared, not computed")
	}
	if p.Sources()[0].Duplicates.Hours() != 168 {
		t.Fatal("the window is told to the engine")
	}
}

func TestOddEnvelopes(t *testing.T) {
	p := oneFeed(t, toEPR)
	for _, c := range []struct {
		name    string
		change  func(*message.Envelope)
		outcome message.Outcome
	}{
		{"source that is gone", func(e *message.Envelope) { e.Source = "old" }, message.Held},
		{"XML", func(e *message.Envelope) { e.Format = message.XML }, message.Quarantined},
		{"body file that is gone", func(e *message.Envelope) { e.Body = message.InFile(message.File{Path: "/nowhere", Size: 5}) }, message.Held},
		{"above limits.parse", func(e *message.Envelope) {
			e.Body = message.InMemory([]byte(adt("A01", nil) + strings.Repeat("x", 65<<20)))
		}, message.Held},
	} {
		t.Run(c.name, func(t *testing.T) {
			env := envelope(adt("A01", nil))
			c.change(env)
			d := p.Decide(env, testNow)
			checkDecision(t, d)
			if d.Outcome != c.outcome || len(d.Deliveries) != 0 {
				t.Fatalf("got %s", d.Outcome)
			}
		})
	}
}

func TestPanicHolds(t *testing.T) {
	p := oneFeed(t, toEPR)
	p.feeds[0].outputs[0].name = nil
	p.feeds[0].outputs = append(p.feeds[0].outputs, nil) // a nil output: a fault of our own
	if d := p.Decide(envelope(adt("A01", map[int]string{15: "AL"})), testNow); d.Reply.Code != "CA" {
		t.Fatalf("reply %q", d.Reply.Code)
	}
	if d := p.Decide(envelope(adt("A01", map[int]string{9: "ACK"})), testNow); d.Reply.Code != "" {
		t.Fatalf("an acknowledgement was answered with %q", d.Reply.Code)
	}
	d := p.Decide(envelope(adt("A01", nil)), testNow)
	place, why := d.Why()
	if d.Outcome != message.Held || d.Reply.Code != "AA" || place.File != "panic" || !strings.Contains(why, "internal error") || !strings.Contains(why, "deliver") || len(d.Deliveries) != 0 {
		t.Fatalf("%s %v %q", d.Outcome, place, why)
	}
}

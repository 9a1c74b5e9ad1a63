package routes

import (
	"fmt"
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/internal/message"
)

const toLake = "deliver:\n  - { to: lake, sink: {}, transform: [ { keep: [MSH-4] } ], retry: { give_up_after: never } }\nunrouted: hold\n"

// heldOf asks again for the words that held, their rules waived.
func heldOf(d *message.Decision) (a Again) {
	for _, p := range d.Parts {
		if p.Outcome == message.Held {
			a.Waived, a.Parts = append(a.Waived, p.Rule), append(a.Parts, PartOf{p.Feed, p.Number})
		}
	}
	return a
}

func copiesOf(t *testing.T, d *message.Decision) (out []string) {
	t.Helper()
	checkDecision(t, d)
	for i := range d.Deliveries {
		c := &d.Deliveries[i]
		out = append(out, c.Queue+" "+c.ControlID+" "+strings.Split(bodyOf(t, c.Body), "|")[3])
	}
	return out
}

// What a feed hands on when it is released, the other feed has never seen; what
// was delivered is not delivered again.
func TestReleaseBehindFeeds(t *testing.T) {
	const split = "split: { group: [OBR], keep: [MSH], id: 'msg.control_id + \".\" + string(part.index)' }\n"
	const own = "  - { to: own, sink: {}, transform: [ { keep: [MSH-4] } ], retry: { give_up_after: never } }\nunrouted: hold\n"
	const twice = "deliver:\n  - { to: a, feed: g, transform: [ { set: { MSH-4: ONE } } ] }\n  - { to: b, feed: g, transform: [ { set: { MSH-4: TWO } } ] }\nunrouted: hold\n"
	const holdTwo = "accept:\n  - { if: 'msg[\"MSH-4\"] == \"TWO\"', then: { hold: two } }\n"
	for _, c := range []struct{ name, f, g, first, then string }{
		{"a feed that was held hands on", "accept:\n  - { if: true, then: { hold: look } }\ndeliver:\n  - { to: g, feed: g }\n" + own, toLake,
			"[]", "[f/own 77 RXX g/lake 77 RXX]"},
		{"a part that was held is handed on", split + "transform:\n  - when: { if: 'msg[\"OBR-4\"] == \"UE\"', do: [ { hold: look } ] }\ndeliver:\n  - { to: g, feed: g }\n" + own, toLake,
			"[f/own 77.1 RXX g/lake 77.1 RXX]", "[f/own 77.2 RXX g/lake 77.2 RXX]"},
		{"handed on twice, one held", twice, holdTwo + toLake, "[g/lake 77 ONE]", "[g/lake 77 TWO]"},
		{"handed on twice, the first one held", strings.NewReplacer("ONE", "TWO", "TWO", "ONE").Replace(twice), holdTwo + toLake, "[g/lake 77 ONE]", "[g/lake 77 TWO]"},
		{"handed on twice and split, one part held", twice, split + "transform:\n  - when: { if: 'msg[\"MSH-4\"] == \"TWO\" && part.index == 2', do: [ { hold: two } ] }\n" + toLake,
			"[g/lake 77.1 ONE g/lake 77.2 ONE g/lake 77.1 TWO]", "[g/lake 77.2 TWO]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := twoFeeds(t, c.f, c.g)
			d := decide(t, p, oru)
			if got := fmt.Sprint(copiesOf(t, d)); got != c.first || d.Outcome != message.Held {
				t.Fatalf("first: %s %s", d.Outcome, got)
			}
			again := p.DecideAgain(d.Envelope, testNow, heldOf(d))
			if got := fmt.Sprint(copiesOf(t, again)); got != c.then {
				t.Errorf("released: %s", got)
			}
		})
	}
}

// What could not be handed on is told, also when the message was released.
func TestReleaseTellsWhatWasNotHandedOn(t *testing.T) {
	p := twoFeeds(t, "deliver:\n  - { to: g, feed: g, when: 'int(msg[\"OBR-4\"]) > 1' }\n  - { to: own, sink: {}, retry: { give_up_after: never } }\nunrouted: hold\n", toLake)
	d := decide(t, p, oru)
	again := p.DecideAgain(d.Envelope, testNow, heldOf(d))
	if checkDecision(t, again); len(again.Parts) != 2 || again.Parts[0].Feed != "g" || !strings.HasPrefix(again.Parts[0].Reason, "released, and could not be handed on: ") || len(again.Deliveries) != 1 {
		t.Error(told(t, again))
	}
}

// All checks that held a message are waived together; one that drops it still does.
func TestReleaseOfSeveralFindings(t *testing.T) {
	const checks = "validate:\n  - { at: PID-5, rule: present, if_bad: { hold: one } }\n  - { at: PID-7, rule: present, if_bad: { hold: two } }\n"
	for _, c := range []struct {
		name, more string
		outcome    message.Outcome
	}{
		{"two that hold", "", message.Routed},
		{"one that drops", "  - { at: PID-8, rule: present, if_bad: { drop: nobody } }\n", message.Dropped},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := oneFeed(t, checks+c.more+toEPR)
			d := decide(t, p, oru)
			if again := p.DecideAgain(d.Envelope, testNow, heldOf(d)); d.Outcome != message.Held || again.Outcome != c.outcome {
				t.Errorf("%s, then %s", d.Outcome, told(t, again))
			}
		})
	}
}

// What follows a step that makes another document, or names a value, would find
// the wrong one, and who may not see the message would get all of it.
func TestReleaseLeavesNoFirmStepOut(t *testing.T) {
	for _, c := range []struct{ name, step string }{
		{"template", "template: { file: templates/r.hl7 }"},
		{"template in shared steps", "use: make"},
		{"let within each within when", "when: { if: true, do: [ { each: { in: OBX(*), as: o, do: [ { let: { x: 'string(int(msg[\"o-3\"]))' } } ] } } ] }"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := mustLoad(t, map[string]string{
				"feeds/f.yaml":    testFeed("steps:\n  make: [ { template: { file: templates/r.hl7 } } ]\ntransform:\n  - " + c.step + "\n  - set: { MSH-5: X }\n" + toEPR),
				"templates/r.hl7": "MSH|^~\\&|{{ string(int(msg[\"PID-5\"])) }}|X|||1||ORU^R01|7|P|2.4\n",
			})
			d := decide(t, p, oru)
			again := p.DecideAgain(d.Envelope, testNow, heldOf(d))
			if d.Outcome != message.Held || again.Outcome != message.Held || len(again.Deliveries) > 0 {
				t.Errorf("%s\nthen %s", told(t, d), told(t, again))
			}
		})
	}
}

// Parts of parts of parts are found again, and no deeper ones are made.
func TestPartsOfParts(t *testing.T) {
	const split = "split: { group: [OBR], keep: [MSH], id: 'msg.control_id + \".\" + string(part.index)' }\n"
	to := func(next string) string {
		return split + "deliver:\n  - { to: x, feed: " + next + " }\nunrouted: hold\n"
	}
	in := func(name, rest string) string {
		return "spine: v1\nfeed: " + name + "\nsources:\n  in: { feed: true }\n" + rest
	}
	files := map[string]string{"feeds/f.yaml": testFeed(to("g")), "feeds/g.yaml": in("g", to("h")),
		"feeds/h.yaml": in("h", split+"transform:\n  - when: { if: 'msg[\"OBR-4\"] == \"UE\"', do: [ { hold: look } ] }\n"+toLake)}
	p := mustLoad(t, files)
	d := decide(t, p, oru)
	if got := fmt.Sprint(copiesOf(t, d), heldOf(d).Parts); got != "[h/lake 77.1.1.1 RXX] [{h 200010001}]" {
		t.Fatal(got)
	}
	if got := fmt.Sprint(copiesOf(t, p.DecideAgain(d.Envelope, testNow, heldOf(d)))); got != "[h/lake 77.2.1.1 RXX]" {
		t.Error(got)
	}
	files["feeds/h.yaml"] = in("h", to("i"))
	files["feeds/i.yaml"] = in("i", split+toLake)
	if d := decide(t, mustLoad(t, files), oru); d.Outcome != message.Held || len(d.Deliveries) != 0 {
		t.Error(told(t, d))
	}
}

func TestTooManyParts(t *testing.T) {
	p := oneFeed(t, "split: { group: [OBR], keep: [MSH], id: 'string(part.index)' }\n"+toEPR)
	d := decide(t, p, "MSH|^~\\&|A|B|||1||ORU^R01|5|P|2.4\r"+strings.Repeat("OBR|1\r", partsWithin))
	if _, why := d.Why(); d.Outcome != message.Held || why != "the message has 10000 parts where at most 9999 are made of one" {
		t.Errorf("%s %s", d.Outcome, why)
	}
}

// A feed may have several sources at one listener; a message is taken once.
func TestAFeedTakesAMessageOnce(t *testing.T) {
	feed := strings.Replace(testFeed(toEPR), "sources:\n", "sources:\n  more: { listener: pas, when: 'msg.type == \"ORU\"' }\n  never: { listener: pas, when: 'msg.type == \"ADT\"' }\n", 1)
	if d := decide(t, mustLoad(t, map[string]string{"feeds/f.yaml": feed}), oru); len(d.Deliveries) != 1 || len(d.Parts) != 1 {
		t.Error(told(t, d))
	}
}

// What a step could not read to its end is no empty value: neither a template nor
// a destination's own drop goes by it.
func TestWhatStepsCannotReadHolds(t *testing.T) {
	const dear = `count(//*[count(//*) > 0]) > 0`
	body := "<A>" + strings.Repeat("<b/>", 8000) + "</A>"
	for _, c := range []struct {
		name, transform, own string
		held                 bool // the message, not only its copy
	}{
		{"a template of the feed", "transform:\n  - template: { file: templates/t.txt, format: text }\n", "", true},
		{"a drop of the feed", "transform:\n  - when: { if: 'msg[\"" + dear + "\"] == \"\"', do: [ { drop: nobody } ] }\n", "", true},
		{"a template of the destination", "", "transform: [ { template: { file: templates/t.txt, format: text } } ], ", false},
		{"a drop of the destination", "", "transform: [ { when: { if: 'msg[\"" + dear + "\"] == \"\"', do: [ { drop: nobody } ] } } ], ", false},
	} {
		t.Run(c.name, func(t *testing.T) {
			p := mustLoad(t, map[string]string{
				"feeds/x.yaml": "spine: v1\nfeed: x\nsources:\n  in: { mailbox: { dir: in }, format: xml }\n" + c.transform +
					"deliver:\n  - { to: a, sink: {}, " + c.own + "retry: { give_up_after: never } }\nunrouted: hold\n",
				"templates/t.txt": `{{ msg["` + dear + `"] }}`,
			})
			e := xmlEnvelope(body)
			e.Source = "x/in"
			d := p.Decide(e, testNow)
			checkDecision(t, d)
			switch {
			case c.held && d.Outcome != message.Held, !c.held && (len(d.Deliveries) != 1 || d.Deliveries[0].State != message.CopyHeld):
				t.Errorf("%s %v", d.Outcome, d.Parts)
			case !c.held && bodyOf(t, d.Deliveries[0].Body) != body:
				t.Error("a held copy is as it was before its own steps")
			}
		})
	}
}

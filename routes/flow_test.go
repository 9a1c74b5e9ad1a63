package routes

import (
	"fmt"
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/internal/message"
)

// told sums up a decision: its outcome, each part, each copy with its body.
func told(t testing.TB, d *message.Decision) string {
	t.Helper()
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", d.Outcome, d.Reply.Code)
	for _, p := range d.Parts {
		fmt.Fprintf(&b, "%s#%d %s %q", p.Feed, p.Number, p.Outcome, p.Reason)
		for _, x := range p.Findings {
			fmt.Fprintf(&b, " +%q:%d", x.Text, x.Rule.Line)
		}
		b.WriteString("\n")
	}
	for i := range d.Deliveries {
		c := &d.Deliveries[i]
		body, err := c.Body.ReadAll()
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&b, "-> %s %s id=%s lane=%q %s\n", c.Queue, c.State, c.ControlID, c.Lane, strings.ReplaceAll(strings.TrimRight(string(body), "\r"), "\r", " / "))
	}
	return b.String()
}

const oru = "MSH|^~\\&|LAB|RXX|||20260301120000||ORU^R01|77|P|2.4\rPID|1||123^^^RXX^PI\rPV1|1|I\r" +
	"ORC|RE|1\rOBR|1|1||FBC\rOBX|1|NM|HB||140\rNTE|1||a\rOBR|2|2||UE\rOBX|1|NM|NA||135\rOBX|2|NM|K||4.1\r"

func TestFlow(t *testing.T) {
	for _, c := range []struct{ name, feed, msg, want string }{
		{"split by groups", `
split: { group: [ORC, OBR], keep: [MSH, PID], id: 'msg["MSH-10"] + "." + string(part.index)' }
transform:
  - set: { OBR-1: "1", OBR-2: '= part.id' }
` + toEPR, oru, `routed AA
f#1 routed ""
f#2 routed ""
-> epr queued id=77.1 lane="" MSH|^~\&|LAB|RXX|||20260301120000||ORU^R01|77.1|P|2.4 / PID|1||123^^^RXX^PI / ORC|RE|1 / OBR|1|77.1||FBC / OBX|1|NM|HB||140 / NTE|1||a
-> epr queued id=77.2 lane="" MSH|^~\&|LAB|RXX|||20260301120000||ORU^R01|77.2|P|2.4 / PID|1||123^^^RXX^PI / OBR|1|77.2||UE / OBX|1|NM|NA||135 / OBX|2|NM|K||4.1
`},
		{"split at a segment takes what belongs to it", `
split: { at: PID, keep: [MSH], id: 'msg["MSH-10"] + "." + string(part.index)' }
` + toEPR, "MSH|^~\\&|A|B|||1||ADT^A40|5|P|2.4\rPID|1||1\rMRG|2\rPID|1||3\rMRG|4\r", `routed AA
f#1 routed ""
f#2 routed ""
-> epr queued id=5.1 lane="" MSH|^~\&|A|B|||1||ADT^A40|5.1|P|2.4 / PID|1||1 / MRG|2
-> epr queued id=5.2 lane="" MSH|^~\&|A|B|||1||ADT^A40|5.2|P|2.4 / PID|1||3 / MRG|4
`},
		{"drop and hold are per part", `
split: { group: [ORC, OBR], keep: [MSH], id: 'msg["MSH-10"] + "." + string(part.index)' }
transform:
  - when: { if: 'msg["OBR-4"] == "FBC"', do: [ { hold: look } ] }
  - keep: [MSH, OBR-4]
` + toEPR, oru, `held AA
f#1 held "look"
f#2 routed ""
-> epr queued id=77.2 lane="" MSH|^~\&|LAB|RXX|||20260301120000||ORU^R01|77.2|P|2.4 / OBR||||UE
`},
		{"a reject in any part rejects the whole", `
split: { group: [ORC, OBR], keep: [MSH], id: 'msg["MSH-10"] + "." + string(part.index)' }
transform:
  - when: { if: 'msg["OBR-4"] == "UE"', do: [ { reject: { ack: AR, text: no } } ] }
` + toEPR, oru, `rejected AR
f#1 routed ""
f#2 rejected "no"
`},
		{"ids that are not distinct", `
split: { group: [OBR], keep: [MSH], id: 'msg["MSH-10"]' }
` + toEPR, oru, `held AA
f#0 held "part 2 has the id of an earlier one; use part.index in it"
`},
		{"validate collects, the worst decides", `
validate:
  - { at: PID-5, rule: present, if_bad: { warn: no name } }
  - { at: "PID-3(5=NH).1", rule: nhs_number, if_absent: { hold: no nhs number }, if_bad: { hold: bad nhs number } }
  - { at: "PID-3(5=XX).1", rule: present, if_bad: { reject: { ack: AE, code: "101", text: no xx } } }
  - { require: 'msg["PV1-2"] == "O"', if_bad: { drop: not an outpatient } }
  - { at: MSH-12, rule: one_of, one_of: ["2.4"], if_absent: pass, if_bad: { hold: version } }
` + toEPR, oru, `rejected AE
f#0 rejected "no xx" +"no name":6 +"no nhs number":7 +"not an outpatient":9
`},
		{"a warning lets it pass and stays with it", `
validate:
  - { at: PID-5, rule: present, if_bad: { warn: no name } }
deliver:
  - { to: epr, peer: epr, transform: [ { keep: [MSH-4] } ] }
unrouted: hold
`, oru, `routed AA
f#0 routed "" +"no name":6
-> epr queued id=77 lane="" MSH|^~\&||RXX|||||ORU^R01|77|P|2.4
`},
		{"emit sends several in order", `
steps:
  short: [ { keep: [MSH] } ]
  first: [ { use: short }, { set: { MSH-10: '= msg.control_id + "a"' } } ]
  second: [ { use: short }, { set: { MSH-10: '= msg.control_id + "b"' } } ]
deliver:
  - { to: epr, peer: epr, emit: [ { use: first }, { use: second } ] }
unrouted: hold
`, oru, `routed AA
f#0 routed ""
-> epr queued id=77a lane="" MSH|^~\&|LAB|RXX|||20260301120000||ORU^R01|77a|P|2.4
-> epr queued id=77b lane="" MSH|^~\&|LAB|RXX|||20260301120000||ORU^R01|77b|P|2.4
`},
		{"each, insert, let and the item's number", `
transform:
  - let: { first: 'msg["OBR-4"]' }
  - each:
      group: [ORC, OBR]
      as: ord
      do:
        - insert: { segment: TQ1, at_end_of: ord, set: { 1: '= ord.index', 7: { 2: '= msg["ord/OBR-4"] + vars.first' } } }
        - each: { in: "ord/OBX(*)", as: obx, do: [ { set: { obx-1: '= string(ord.index) + "." + string(obx.index)' } } ] }
  - remove: [PID, PV1]
` + toEPR, oru, `routed AA
f#0 routed ""
-> epr queued id=77 lane="" MSH|^~\&|LAB|RXX|||20260301120000||ORU^R01|77|P|2.4 / ORC|RE|1 / OBR|1|1||FBC / OBX|1.1|NM|HB||140 / NTE|1||a / TQ1|1||||||^FBCFBC / OBR|2|2||UE / OBX|2.1|NM|NA||135 / OBX|2.2|NM|K||4.1 / TQ1|2||||||^UEFBC
`},
		{"a document out of a field", `
deliver:
  - { to: docs, mailbox: { dir: docs, name: '= msg.control_id + ".txt"', body: { decode: "OBX(3=DOC)-5.5", as: base64 } }, retry: { give_up_after: never } }
unrouted: hold
`, "MSH|^~\\&|A|B|||1||MDM^T02|5|P|2.4\rOBX|1|ED|DOC||^^^Base64^aGVsbG8=\r", `routed AA
f#0 routed ""
-> f/docs queued id=5 lane="" hello
`},
		{"a character that does not fit holds its copy alone", `
deliver:
  - { to: a, sink: {}, charset: { as: 8859/1 }, retry: { give_up_after: never } }
  - { to: b, sink: {}, charset: { as: 8859/1, unfit: { replace: "?" } }, retry: { give_up_after: never } }
unrouted: hold
`, "MSH|^~\\&|A|B|||1||ADT^A01|5|P|2.4||||||UNICODE UTF-8\rPID|1||||Ł\r", `routed AA
f#0 routed ""
-> f/a held id=5 lane="" MSH|^~\&|A|B|||1||ADT^A01|5|P|2.4||||||UNICODE UTF-8 / PID|1||||Ł
-> f/b queued id=5 lane="" MSH|^~\&|A|B|||1||ADT^A01|5|P|2.4||||||8859/1 / PID|1||||?
`},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := told(t, decide(t, oneFeed(t, strings.TrimPrefix(c.feed, "\n")), c.msg)); got != c.want {
				t.Errorf("got:\n%s\nwant:\n%s", got, c.want)
			}
		})
	}
}

// twoFeeds: f hands on to g, which has no source of its own.
func twoFeeds(t testing.TB, f, g string) *Plan {
	return mustLoad(t, map[string]string{
		"feeds/f.yaml": testFeed(f),
		"feeds/g.yaml": "spine: v1\nfeed: g\nsources:\n  in: { feed: true }\n" + g,
	})
}

const handsOn = `transform:
  - set: { MSH-3: F }
deliver:
  - { to: g, feed: g, when: 'msg.event == "R01"', transform: [ { set: { MSH-4: TO-G } } ] }
  - { to: own, sink: {}, transform: [ { keep: [MSH] } ], retry: { give_up_after: never } }
unrouted: hold
`

const takes = `accept:
  - { require: 'msg["MSH-3"] == "F" && orig["MSH-4"] == "TO-G"', otherwise: { hold: orig is what was handed on } }
transform:
  - keep: [MSH, PID-3]
deliver:
  - { to: lake, sink: {}, retry: { give_up_after: never } }
unrouted: hold
`

func TestFeedToFeed(t *testing.T) {
	d := decide(t, twoFeeds(t, handsOn, takes), oru)
	const want = `routed AA
f#0 routed ""
g#0 routed ""
-> f/own queued id=77 lane="" MSH|^~\&|F|RXX|||20260301120000||ORU^R01|77|P|2.4
-> g/lake queued id=77 lane="" MSH|^~\&|F|TO-G|||20260301120000||ORU^R01|77|P|2.4 / PID|||123^^^RXX^PI
`
	if got := told(t, d); got != want {
		t.Errorf("got:\n%s", got)
	}
}

func TestHandedOnAloneIsTheOtherFeedsWord(t *testing.T) {
	p := twoFeeds(t, "deliver:\n  - { to: g, feed: g }\nunrouted: hold\n", "accept:\n  - if: true\n    then: { drop: nobody }\n"+toEPR)
	if got := told(t, decide(t, p, oru)); got != "dropped AA\ng#0 dropped \"nobody\"\n" {
		t.Error(got)
	}
}

// A held part of a split message is decided again alone, also behind another feed.
func TestPartsAreReleasedAlone(t *testing.T) {
	split := "split: { group: [OBR], keep: [MSH], id: 'msg.control_id + \".\" + string(part.index)' }\n"
	g := "transform:\n  - when: { if: 'msg[\"OBR-4\"] == \"UE\"', do: [ { hold: look } ] }\n  - keep: [MSH]\n" + toEPR
	p := twoFeeds(t, split+"deliver:\n  - { to: g, feed: g }\n  - { to: own, sink: {}, transform: [ { keep: [MSH] } ], retry: { give_up_after: never } }\nunrouted: hold\n", g)
	d := decide(t, p, oru)
	var held message.Part
	for _, part := range d.Parts {
		if part.Outcome == message.Held {
			held = part
		}
	}
	if held.Feed != "g" || held.Number != 2 || len(d.Deliveries) != 3 {
		t.Fatalf("%s", told(t, d))
	}
	again := p.DecideAgain(d.Envelope, testNow, Again{Waived: []message.Place{held.Rule}, Parts: []PartOf{{held.Feed, held.Number}}})
	const want = "routed AA\ng#2 routed \"\"\n-> epr queued id=77.2 lane=\"\" MSH|^~\\&|LAB|RXX|||20260301120000||ORU^R01|77.2|P|2.4\n"
	if got := told(t, again); got != want {
		t.Errorf("got:\n%s", got)
	}
}

func TestFeedsInACircle(t *testing.T) {
	_, problems := Load(projectFS(map[string]string{
		"feeds/f.yaml": testFeed("deliver:\n  - { to: g, feed: g }\nunrouted: hold\n"),
		"feeds/g.yaml": "spine: v1\nfeed: g\nsources:\n  in: { feed: true }\ndeliver:\n  - { to: h, feed: h }\nunrouted: hold\n",
		"feeds/h.yaml": "spine: v1\nfeed: h\nsources:\n  in: { feed: true }\ndeliver:\n  - { to: g, feed: g }\nunrouted: hold\n",
	}), testOptions())
	if len(problems) != 2 || problems[0].String() != "feeds/g.yaml:6:20: the feeds hand messages round in a circle: g > h > g; end the circle" {
		t.Errorf("%v", problems)
	}
}

// A withdrawn death is HL7 null: it is never read as a death.
func TestWithdrawnDeath(t *testing.T) {
	feed := `let:
  dead: msg["PID-30"] == "Y" || msg.has("PID-29")
accept:
  - { if: vars.dead, then: { hold: dead } }
  - { if: 'msg["PID-29"] != ""', then: { hold: dead by text } }
  - { if: '!msg.is_null("PID-29")', then: { hold: not withdrawn } }
validate:
  - { at: PID-29, rule: present, if_bad: { warn: no date of death } }
  - { at: PID-29, rule: date, if_absent: { hold: absent }, if_null: pass, if_bad: { hold: bad } }
transform:
  - default: { PID-29: "20260101" }
  - date: { at: PID-29, as: day }
` + toEPR
	pid := "PID|1" + strings.Repeat("|", 28) + `""` + "|N"
	d := decide(t, oneFeed(t, feed), "MSH|^~\\&|A|B|||1||ADT^A08|5|P|2.4\r"+pid+"\r")
	want := "routed AA\nf#0 routed \"\" +\"no date of death\":12\n-> epr queued id=5 lane=\"\" MSH|^~\\&|A|B|||1||ADT^A08|5|P|2.4 / " + pid + "\n"
	if got := told(t, d); got != want {
		t.Errorf("got:\n%s", got)
	}
}

func TestTemplates(t *testing.T) {
	p := mustLoad(t, map[string]string{
		"feeds/f.yaml": testFeed(`deliver:
  - { to: a, sink: {}, transform: [ { template: { file: templates/r.hl7 } }, { set: { MSH-5: '= orig["MSH-3"] + msg["OBX(#2)-3"]' } } ], retry: { give_up_after: never } }
  - { to: b, sink: {}, transform: [ { template: { file: templates/r.json } } ], retry: { give_up_after: never } }
unrouted: hold
`),
		"templates/r.hl7":  "MSH|^~\\&|{{ msg[\"MSH-3\"] }}|X|||1||ORU^R01|{{ msg.control_id }}|P|2.4\n{{each OBX(*) as r}}\nOBX|{{ string(r.index) }}|{{ msg[\"r-2\"] }}|{{ msg[\"r-3\"] }}\n{{end}}\n",
		"templates/r.json": "{\"id\": \"{{ msg.control_id }}\", \"ward\": \"{{ msg[\"PID-3.4\"] }}\"}",
	})
	const want = `routed AA
f#0 routed ""
-> f/a queued id=77 lane="" MSH|^~\&|LAB|X|LABNA||1||ORU^R01|77|P|2.4 / OBX|1|NM|HB / OBX|2|NM|NA / OBX|3|NM|K
-> f/b queued id= lane="" {"id": "77", "ward": "RXX"}
`
	if got := told(t, decide(t, p, oru)); got != want {
		t.Errorf("got:\n%s", got)
	}
}

// What a template makes is told by its name, for its namespaces too.
func TestTemplateNamespaces(t *testing.T) {
	p := mustLoad(t, map[string]string{
		"feeds/f.yaml": testFeed(`deliver:
  - { to: a, sink: {}, transform: [ { template: { file: templates/r.xml, namespaces: { l: "urn:l" } } }, { set: { "/l:R/@ward": w7 } } ], retry: { give_up_after: never } }
unrouted: hold
`),
		"templates/r.xml": `<R xmlns="urn:l" id="{{ msg.control_id }}"/>`,
	})
	const want = "routed AA\nf#0 routed \"\"\n-> f/a queued id= lane=\"\" <R xmlns=\"urn:l\" id=\"77\" ward=\"w7\"/>\n"
	if got := told(t, decide(t, p, oru)); got != want {
		t.Errorf("got:\n%s", got)
	}
}

func TestTemplateProblems(t *testing.T) {
	_, problems := Load(projectFS(map[string]string{
		"feeds/f.yaml":    testFeed("transform:\n  - template: { file: templates/r.hl7 }\n" + toEPR),
		"templates/r.hl7": "MSH|^~\\&|{{ msg[\"MSH-99999\"] }}\nPID|{{ vars.nope }}\n",
	}), testOptions())
	if len(problems) != 2 || problems[0].Line != 1 || problems[0].Column != 22 || problems[1].Line != 2 || problems[1].Column != 13 {
		t.Errorf("%v", problems)
	}
}

func TestExplain(t *testing.T) {
	p := oneFeed(t, "tables:\n  t: { rows: { FBC: blood } }\naccept:\n  - { if: 'msg.event == \"A01\"', then: { drop: no } }\ntransform:\n  - map: { at: OBR-4, table: t, unmapped: keep }\n  - remove: [ZZZ]\n"+toEPR)
	d, trace := p.Explain(envelope(oru), testNow)
	var b strings.Builder
	for _, s := range trace {
		fmt.Fprintf(&b, "%d %s %s: %s\n", s.Place.Line, s.What, s.Key, s.Result)
	}
	const want = "1 feed f: takes it\n8 condition : false\n6 row t FBC: found\n10 step : done\n11 step : changes nothing\n13 copy epr: queued\n0 outcome : routed\n"
	if b.String() != want || d.Outcome != message.Routed {
		t.Errorf("got:\n%s", b.String())
	}
	covered := map[string]bool{}
	for _, s := range trace {
		covered[s.What+s.Place.String()+s.Key] = true
	}
	for _, s := range p.Coverable() {
		if s.What != TraceOutcome && !covered[s.What+s.Place.String()+s.Key] {
			t.Errorf("%v can be covered and was not", s)
		}
	}
}

// Where one destination takes every message none is unrouted, and no test can show it.
func TestUnroutedIsCoverableWhereItCanBe(t *testing.T) {
	for _, c := range []struct {
		name, deliver string
		want          bool
	}{
		{"one takes every message", "  - { to: a, sink: {}, retry: { give_up_after: never } }\n  - { to: epr, peer: epr, when: 'msg.event == \"A01\"' }\n", false},
		{"all have conditions", "  - { to: epr, peer: epr, when: 'msg.event == \"A01\"' }\n", true},
		{"its own steps may drop it", "  - { to: epr, peer: epr, transform: [ { when: { if: true, do: [ { drop: no } ] } } ] }\n", true},
		{"one of what it emits may be dropped", "  - { to: epr, peer: epr, emit: [ { set: { MSH-3: A } }, { drop: no } ] }\n", true},
	} {
		t.Run(c.name, func(t *testing.T) {
			all := oneFeed(t, "deliver:\n"+c.deliver+"unrouted: hold\n").Coverable()
			if got := all[len(all)-1].What == TraceOutcome; got != c.want {
				t.Errorf("unrouted can be covered: %v", got)
			}
		})
	}
}

func TestListsOfCodes(t *testing.T) {
	p := mustLoad(t, map[string]string{
		"feeds/f.yaml": testFeed("tables:\n  wards: { csv: tables/w.csv, key: ward }\n  labs: { rows: [LAB, HAEM] }\naccept:\n  - { require: 'table(\"wards\").has(msg[\"PV1-2\"]) && msg[\"MSH-3\"] in table(\"labs\")', otherwise: { drop: no } }\n" + toEPR),
		"tables/w.csv": "ward\nI\nO\n",
	})
	if d := decide(t, p, oru); d.Outcome != message.Routed {
		t.Error(told(t, d))
	}
}

const xmlFeed = `spine: v1
feed: x
sources:
  poct: { mailbox: { dir: poct }, format: xml, namespaces: { v: "urn:vendor:2" }, ack: { when: stored, reply: { template: templates/ok.xml } } }
accept:
  - { require: 'msg.has("/v:Batch/@id")', otherwise: { reject: { http: 422, text: no id } } }
  - { if: 'msg["/v:Batch/@id"] == "X"', then: { reject: { http: 409, text: seen } } }
validate:
  - { at: "/v:Batch/v:Patient/v:Id", rule: present, if_bad: { hold: no patient id } }
split: { at: "/v:Batch/v:Patient", keep: ["/v:Batch/v:Device"], id: 'msg["/v:Batch/@id"] + "." + string(part.index)' }
transform:
  - set: { "/v:Batch/v:Patient/v:Id": '= msg["/v:Batch/v:Patient/v:Id"].trim()' }
deliver:
  - { to: raw, sink: {}, retry: { give_up_after: never } }
  - to: lims
    peer: epr
    transform:
      - template: { file: templates/oru.hl7 }
      - set: { OBR-1: '= msg["MSH-10"]' }
unrouted: hold
`

func xmlPlan(t testing.TB) *Plan {
	return mustLoad(t, map[string]string{"feeds/x.yaml": xmlFeed,
		"templates/ok.xml":  `<ok id="{{ msg["/v:Batch/@id"] }}"/>`,
		"templates/oru.hl7": "MSH|^~\\&|POCT|X|||1||ORU^R01|{{ part.id }}|P|2.4\nPID|||{{ msg[\"/v:Batch/v:Patient/v:Id\"] }}\nOBR|\n{{each /v:Batch/v:Patient/v:R as r}}\nOBX|{{ r.index }}|NM|{{ msg[\"r/@code\"] }}||{{ msg[\"r\"] }}\n{{end}}\n",
	})
}

func xmlEnvelope(body string) *message.Envelope {
	return &message.Envelope{Source: "x/poct", Format: message.XML, Body: message.InMemory([]byte(body))}
}

func TestXMLFeed(t *testing.T) {
	body := `<Batch xmlns="urn:vendor:2" id="B7"><Device>d</Device><Patient><Id> 1|2 </Id><R code="HB">140</R><R code="K">4</R></Patient><Patient><Id>3</Id></Patient></Batch>`
	d := xmlPlan(t).Decide(xmlEnvelope(body), testNow)
	const want = `routed AA
x#1 routed ""
x#2 routed ""
-> x/raw queued id= lane="" <Batch xmlns="urn:vendor:2" id="B7"><Device>d</Device><Patient><Id>1|2</Id><R code="HB">140</R><R code="K">4</R></Patient></Batch>
-> epr queued id=B7.1 lane="" MSH|^~\&|POCT|X|||1||ORU^R01|B7.1|P|2.4 / PID|||1\F\2 / OBR|B7.1 / OBX|1|NM|HB||140 / OBX|2|NM|K||4
-> x/raw queued id= lane="" <Batch xmlns="urn:vendor:2" id="B7"><Device>d</Device><Patient><Id>3</Id></Patient></Batch>
-> epr queued id=B7.2 lane="" MSH|^~\&|POCT|X|||1||ORU^R01|B7.2|P|2.4 / PID|||3 / OBR|B7.2
`
	if got := told(t, d); got != want {
		t.Errorf("got:\n%s", got)
	}
	if d.Reply.Body != `<ok id="B7"/>` || d.Reply.Type != "application/xml" {
		t.Errorf("%+v", d.Reply)
	}
}

func TestXMLRefused(t *testing.T) {
	for _, c := range []struct {
		name, body string
		outcome    message.Outcome
		http       int
	}{
		{"no id", `<Batch xmlns="urn:vendor:2"/>`, message.Rejected, 422},
		{"another namespace", `<Batch id="1"/>`, message.Rejected, 422},
		{"seen", `<Batch xmlns="urn:vendor:2" id="X"/>`, message.Rejected, 409},
		{"not well-formed", `<Batch`, message.Quarantined, 0},
		{"a document type", `<!DOCTYPE x><x/>`, message.Quarantined, 0},
		{"hl7", "MSH|^~\\&|A", message.Quarantined, 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			d := xmlPlan(t).Decide(xmlEnvelope(c.body), testNow)
			if d.Outcome != c.outcome || d.Reply.HTTP != c.http || len(d.Deliveries) != 0 {
				t.Errorf("%s %+v", d.Outcome, d.Reply)
			}
		})
	}
}

func TestToAndFromXML(t *testing.T) {
	p := oneFeed(t, "transform:\n  - to_xml: positional\n  - set: { '/ORU_R01/PID/PID.3/PID.3.1': '999' }\n  - from_xml: positional\n  - remove: [OBX(*), NTE, ORC, OBR(*), PV1]\n"+toEPR)
	const want = "routed AA\nf#0 routed \"\"\n-> epr queued id=77 lane=\"\" MSH|^~\\&|LAB|RXX|||20260301120000||ORU^R01|77|P|2.4 / PID|1||999^^^RXX^PI\n"
	if got := told(t, decide(t, p, oru)); got != want {
		t.Errorf("got:\n%s", got)
	}
}

// What a template for JSON makes goes through destinations of their own, and the
// next message through the same run.
func TestTextForSeveralDestinations(t *testing.T) {
	p := mustLoad(t, map[string]string{
		"feeds/f.yaml": testFeed(`transform:
  - template: { file: templates/r.json }
deliver:
  - { to: a, sink: {}, transform: [ { when: { if: orig.type == "X", do: [ { drop: no } ] } } ], retry: { give_up_after: never } }
  - { to: b, sink: {}, when: meta.source == "pas", retry: { give_up_after: never } }
unrouted: hold
`),
		"templates/r.json": "{\"id\": \"{{ msg.control_id }}\"}",
	})
	const want = "routed AA\nf#0 routed \"\"\n-> f/a queued id= lane=\"\" {\"id\": \"77\"}\n-> f/b queued id= lane=\"\" {\"id\": \"77\"}\n"
	for range 3 {
		if got := told(t, decide(t, p, oru)); got != want {
			t.Fatalf("got:\n%s", got)
		}
	}
}

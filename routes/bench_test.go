package routes

import (
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/hl7"
)

// BenchmarkDecide is the typical feed: two accept rules, five steps, one
// destination with two steps of its own; a message of 1 kB.
func BenchmarkDecide(b *testing.B) {
	p := oneFeed(b, `
tables:
  sex: { rows: { F: "2", M: "1" } }
accept:
  - require: msg.event in ["A01", "A02", "A03", "A08"]
    otherwise: { drop: no }
  - if: msg["PV1-3.1"].startsWith("TEST")
    then: { drop: test ward }
transform:
  - set: { MSH-3: SPINE, MSH-4: RXX01 }
  - map: { at: PID-8, table: sex, unmapped: keep }
  - set: { PV1-10.1: '= msg["PV1-10.1"].trim()' }
  - default: { PID-10: Z }
  - remove: ["NK1(*)"]
deliver:
  - { to: epr, peer: epr, transform: [ { set: { MSH-5: LIMS } }, { set: { MSH-12: "2.3" } } ] }
unrouted: hold
`)
	raw := adt("A01", nil)
	raw += "OBX|1|TX|NOTE||" + strings.Repeat("text ", 120) + "\r"
	env := envelope(raw)
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		d := p.Decide(env, testNow)
		if len(d.Deliveries) != 1 {
			b.Fatal(d.Outcome)
		}
	}
}

// BenchmarkDecideUntouched is a feed that only routes.
func BenchmarkDecideUntouched(b *testing.B) {
	p := oneFeed(b, toEPR)
	env := envelope(adt("A01", nil))
	b.ReportAllocs()
	for b.Loop() {
		if d := p.Decide(env, testNow); len(d.Deliveries) != 1 {
			b.Fatal(d.Outcome)
		}
	}
}

// realistic is a feed as integrators write them: 10 accept rules, 15 steps and 4
// destinations.
const realistic = `
tables:
  sex: { rows: { F: "2", M: "1" } }
  specialty: { rows: { "300": { code: "100", name: General } } }
let:
  ward: msg["PV1-3.1"]
accept:
  - { require: 'msg.event in ["A01", "A02", "A03", "A08", "A11", "A13", "A28", "A31", "A40"]', otherwise: { drop: not subscribed } }
  - { if: vars.ward.startsWith("TEST"), then: { drop: test ward } }
  - { require: 'msg["MSH-11.1"] == "P"', otherwise: { hold: test message } }
  - { if: 'msg["PID-5.1"] == "ZZZTEST"', then: { drop: test patient } }
  - { require: 'msg.has("PID-3.1")', otherwise: { hold: no number } }
  - { if: 'msg["PV1-2"] == "P" && msg.event == "A01"', then: { drop: pre-admission } }
  - { if: 'msg["MSH-4"] in ["RXY", "RXZ"]', then: { drop: other trust } }
  - { require: 'msg["PID-8"] in ["F", "M", "U", "I", ""]', otherwise: { hold: unknown sex } }
  - { if: 'msg["EVN-2"] != "" && msg["EVN-2"] < "2020"', then: { drop: too old } }
  - { if: 'msg["PID-30"] == "Y" || msg.has("PID-29")', then: { hold: death } }
transform:
  - set: { MSH-3: SPINE, MSH-4: RXX01 }
  - set: { PV1-19.1: '= msg["PV1-19.1"].trim().upperAscii()' }
  - tidy: { at: PID-3.1, as: trim }
  - map: { at: PID-8, table: sex, unmapped: keep }
  - map: { at: PV1-10.1, table: specialty, from: code, put: { PV1-10.2: name }, unmapped: keep }
  - nullify: [PID-19]
  - remove: ["ZPI(*)"]
  - default: { PID-10: Z }
  - copy: { from: PID-3.1, to: PID-2 }
  - date: { at: PID-7, as: day }
  - pad: { at: PID-1, to: 4, with: "0" }
  - replace: { at: PID-13.1, text: " ", by: "" }
  - when: { if: 'msg.event == "A03"', do: [ { set: { PV1-45: "20260101" } } ] }
  - set: { PID-18: '= "V" + msg["PV1-19.1"]' }
  - move: { from: PID-21, to: PID-22 }
deliver:
  - { to: epr, peer: epr, transform: [ { set: { MSH-5: EPR, MSH-6: RXX } } ] }
  - { to: lims, sink: {}, when: 'msg.event in ["A01", "A02", "A03"]', transform: [ { set: { MSH-5: LIMS, MSH-12: "2.3" } }, { remove: ["NK1(*)", "IN1(*)"] } ], order: { per: PID-3.1 }, retry: { give_up_after: never } }
  - { to: ward, sink: {}, when: 'vars.ward != ""', retry: { give_up_after: never } }
  - { to: community, sink: {}, when: 'msg["PV1-18.1"] == "" || msg["PV1-18.1"] == "COMM"', retry: { give_up_after: never } }
unrouted: hold
`

func kilobyte() string {
	raw := adt("A01", nil)
	return raw + "OBX|1|TX|NOTE||" + strings.Repeat("text ", (1010-len(raw))/5) + "\r"
}

// BenchmarkDecideRealistic and BenchmarkParseEncode are read side by side: what
// deciding costs against reading a message and writing it out.
func BenchmarkDecideRealistic(b *testing.B) {
	p := oneFeed(b, realistic)
	raw := kilobyte()
	env := envelope(raw)
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		if d := p.Decide(env, testNow); len(d.Deliveries) != 4 {
			b.Fatal(d.Outcome, d.Parts)
		}
	}
}

// BenchmarkParseEncode reads the message, changes one field, and writes it out.
func BenchmarkParseEncode(b *testing.B) {
	raw := []byte(kilobyte())
	at := hl7.MustPath("MSH-5")
	b.ReportAllocs()
	b.SetBytes(int64(len(raw)))
	for b.Loop() {
		m, err := hl7.Parse(raw)
		if err != nil {
			b.Fatal(err)
		}
		if err := m.Set(at, "LIMS"); err != nil || len(m.Bytes()) < 900 {
			b.Fatal(err)
		}
	}
}

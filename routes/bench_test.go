package routes

import (
	"strings"
	"testing"
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

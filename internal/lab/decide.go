package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// decideLimit is how many times as long as parse and encode a decision may take.
const decideLimit = 4

// The kinds of work that are measured side by side.
const (
	workDecide     = "decide"
	workParse      = "parse"
	workEncode     = "parse, one field, encode"
	workEveryField = "parse, every field, encode"
)

// decideWork is what is measured of one of them.
type decideWork struct {
	Name        string
	Nanoseconds sample // mean of each slice
	Allocations float64
}

// runDecide measures what deciding costs against reading a message and writing it
// out, in turns in one process.
func runDecide(ctx context.Context, l *lab) error {
	dir, err := l.sub("decide")
	if err != nil {
		return err
	}
	if err := writeDecide(dir); err != nil {
		return err
	}
	works, err := l.measureDecide(ctx, dir)
	if err != nil {
		return err
	}
	by := map[string]decideWork{}
	for _, w := range works {
		by[w.Name] = w
		l.note("%-28s %s ns, %.0f allocations", w.Name, w.Nanoseconds, w.Allocations)
	}
	against := func(name string) float64 { return by[workDecide].Nanoseconds.over(by[name].Nanoseconds).median() }
	l.note("a decision of 10 rules, 15 steps and 4 destinations takes %.2f times as long as parsing, %.2f as reading and writing every field", against(workParse), against(workEveryField))
	l.check(against(workEncode) <= decideLimit, "it takes %.2f times as long as parse and encode alone (limit %d)", against(workEncode), decideLimit)
	return nil
}

// measureDecide builds the tests of the laboratory, where the part is that looks
// inside the engine, and runs that part.
func (l *lab) measureDecide(ctx context.Context, dir string) (works []decideWork, err error) {
	bin := filepath.Join(l.dir, "lab.test")
	build := exec.CommandContext(ctx, "go", "test", "-c", "-o", bin, "github.com/spine-engine/spine-engine/internal/lab")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("building the measuring process: %w\n%s", err, out)
	}
	args := []string{"_decide", "-dir", dir, "-rounds", fmt.Sprint(l.roundsOr(20))}
	if l.profile != "" {
		args = append(args, "-profile", l.profile)
	}
	run := exec.CommandContext(ctx, bin, args...)
	run.Stderr = os.Stderr
	out, err := run.Output()
	if err != nil {
		return nil, fmt.Errorf("the measuring process: %w", err)
	}
	return works, json.Unmarshal(out, &works)
}

// decideFeed is a feed as integrators write them.
const decideFeed = `tables:
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
  - tidy: { at: PID-3(5=NH).1, as: nhs_number, if_none: skip }
  - map: { at: PID-8, table: sex, unmapped: keep }
  - map: { at: PV1-10.1, table: specialty, from: code, put: { PV1-10.2: name }, unmapped: keep }
  - nullify: [PID-19]
  - remove: ["ZPI(*)"]
  - default: { PID-10: Z }
  - copy: { from: PID-3(5=PI).1, to: PID-2 }
  - date: { at: PID-7, as: day }
  - pad: { at: PID-1, to: 4, with: "0" }
  - replace: { at: PID-13.1, text: " ", by: "" }
  - when: { if: 'msg.event == "A03"', do: [ { set: { PV1-45: "20260101" } } ] }
  - set: { PID-18: '= "V" + msg["PV1-19.1"]' }
  - move: { from: PID-21, to: PID-22 }
deliver:
  - { to: epr, peer: epr, transform: [ { set: { MSH-5: EPR, MSH-6: RXX } } ] }
  - to: lims
    mailbox: { dir: mailboxes/lims }
    when: 'msg.event in ["A01", "A02", "A03"]'
    transform: [ { set: { MSH-5: LIMS, MSH-12: "2.3" } }, { remove: ["NK1(*)", "IN1(*)"] } ]
    retry: { first: 1s, give_up_after: never }
  - { to: ward, mailbox: { dir: mailboxes/ward }, when: 'vars.ward != ""', retry: { first: 1s, give_up_after: never } }
  - { to: community, mailbox: { dir: mailboxes/community }, when: 'msg["PV1-18.1"] in ["", "COMM"]', retry: { first: 1s, give_up_after: never } }
unrouted: hold
`

// decideMessage is an ADT of 1 kB.
func decideMessage() string {
	s := "MSH|^~\\&|PAS|RXX|SPINE|RXX|20261122080000||ADT^A01^ADT_A01|PAS000017|P|2.5.1\r" +
		"EVN|A01|20261122080000|||OP17^Clerk^Carl\r" +
		"PID|1||H100001^^^RXX^PI~999 000 0018^^^NHS^NH||TESTPATIENT^Anne^Beth^^MRS||195102031200|F|||1 Example Road^^Testington^^ZZ99 3AA^GBR||01632 960001|01632 960002|ENG|M|||OLD17\r" +
		"NK1|1|TESTPATIENT^Carl|SPO^Spouse|1 Example Road^^Testington^^ZZ99 3AA|01632 960003\r" +
		"NK1|2|TESTPATIENT^Dora|CHD^Child|2 Example Road^^Testington^^ZZ99 3AB|01632 960004\r" +
		"PV1|1|I|WARD7^BAY2^BED3^RXX||||C9999001^Consultant^Clara|||300||||||||COMM| v100001 |||||||||||||||||||||||||20261122080000\r" +
		"IN1|1|NONE|NHS\r" +
		"ZPI|1|local|more\r"
	return s + "OBX|1|TX|NOTE||" + strings.Repeat("text ", (1000-len(s)-16)/5) + "\r"
}

func writeDecide(dir string) error {
	p := project{dir: dir, listen: "127.0.0.1:2575", top: peersYAML(peerYAML("epr", "127.0.0.1:6661")), feed: decideFeed}
	if err := p.write(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "messages"), 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "messages", "adt.hl7"), []byte(decideMessage()), 0o644)
}

package generate

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/transforms/forms"
)

// ledger follows the story from its messages alone, as a receiver would.
type ledger struct {
	t       *testing.T
	visit   map[string]string // hospital number -> visit number, while in hospital
	ended   map[string]string // -> visit number that can be reopened
	known   map[string]bool
	gone    map[string]bool   // numbers merged away
	bed     map[string]string // bed -> hospital number
	placed  map[string]string // order -> hospital number
	booked  map[string]string // appointment -> hospital number
	events  map[string]int
	control map[string]bool
	last    string
}

func TestTheStoryHoldsTogether(t *testing.T) {
	for seed := range uint64(4) {
		l := &ledger{t: t, visit: map[string]string{}, ended: map[string]string{}, known: map[string]bool{}, gone: map[string]bool{}, bed: map[string]string{},
			placed: map[string]string{}, booked: map[string]string{}, events: map[string]int{}, control: map[string]bool{}}
		msgs, err := New(seed).Day(2500)
		if err != nil {
			t.Fatal(err)
		}
		for _, b := range msgs {
			l.read(parse(t, b))
		}
		for s := range structures() {
			if l.events[s] == 0 {
				t.Errorf("seed %d: a day without %s", seed, s)
			}
		}
	}
}

func TestControlIDsAreUnique(t *testing.T) {
	msgs, err := New(9).Day(10_000)
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, b := range msgs {
		h, err := hl7.ParseHeader(b)
		if err != nil || seen[h.ControlID] || len(h.ControlID) > 20 {
			t.Fatalf("control id %q: %v", h.ControlID, err)
		}
		seen[h.ControlID] = true
	}
}

func (l *ledger) read(m *hl7.Message) {
	t, id, key := l.t, get(m, "PID-3(5=PI).1"), m.Type()+"^"+m.Event()
	l.events[key]++
	if at := get(m, "MSH-7"); at < l.last {
		t.Fatalf("time went back from %s to %s", l.last, at)
	} else {
		l.last = at
	}
	if id == "" || l.gone[id] {
		t.Fatalf("%s is about %q, which was merged away: %v", key, id, l.gone[id])
	}
	if nhs := get(m, "PID-3(5=NH).1"); nhs != "" {
		if _, ok := forms.NHSNumber(nhs); !ok {
			t.Fatalf("%s: NHS number %s", key, nhs)
		}
	}
	l.known[id] = true
	v := get(m, "PV1-19.1")
	switch m.Event() {
	case "A01":
		if l.visit[id] != "" {
			t.Fatalf("%s is admitted twice", id)
		}
		l.visit[id], l.ended[id] = v, ""
		l.lie(m, id)
	case "A02", "A08", "O01":
		l.same(key, id, v, l.visit)
		l.lie(m, id)
	case "A03":
		l.same(key, id, v, l.visit)
		l.leave(id)
		l.visit[id], l.ended[id] = "", v
		if get(m, "PV1-45") == "" {
			t.Errorf("no time of discharge")
		}
	case "A11":
		l.same(key, id, v, l.visit)
		l.leave(id)
		l.visit[id] = ""
	case "A13", "T02":
		l.same(key, id, v, l.ended)
		if m.Event() == "A13" {
			l.visit[id], l.ended[id] = v, ""
			l.lie(m, id)
		}
	case "A40":
		loser := get(m, "MRG-1(5=PI).1")
		if !l.known[loser] || loser == id || l.gone[loser] || l.visit[loser] != "" {
			t.Fatalf("merge of %s into %s", loser, id)
		}
		l.gone[loser] = true
		for _, of := range []map[string]string{l.booked, l.placed} {
			for n, who := range of {
				if who == loser {
					of[n] = id
				}
			}
		}
	}
	l.requests(m, id)
}

func (l *ledger) requests(m *hl7.Message, id string) {
	t := l.t
	switch m.Event() {
	case "O01":
		l.placed[get(m, "ORC-2.1")] = id
	case "R01":
		if n := get(m, "OBR-2.1"); l.placed[n] != id {
			t.Fatalf("result for order %s of %s, placed for %s", n, id, l.placed[n])
		}
	case "S12":
		l.booked[get(m, "SCH-1.1")] = id
	case "S13", "S14", "S15":
		n := get(m, "SCH-1.1")
		if l.booked[n] != id {
			t.Fatalf("appointment %s of %s, booked for %s", n, id, l.booked[n])
		}
		if m.Event() == "S15" {
			delete(l.booked, n)
		}
	}
}

func (l *ledger) same(key, id, visit string, in map[string]string) {
	l.t.Helper()
	if visit == "" || in[id] != visit {
		l.t.Fatalf("%s of %s has visit %q, want %q", key, id, visit, in[id])
	}
}

// lie puts somebody into the bed of PV1-3, out of the one they had.
func (l *ledger) lie(m *hl7.Message, id string) {
	if m.Event() == "O01" {
		return
	}
	b := strings.Join([]string{get(m, "PV1-3.1"), get(m, "PV1-3.2"), get(m, "PV1-3.3")}, "/")
	if other := l.bed[b]; other != "" && other != id {
		l.t.Fatalf("%s and %s lie in bed %s", other, id, b)
	}
	l.leave(id)
	l.bed[b] = id
}

func (l *ledger) leave(id string) {
	for b, who := range l.bed {
		if who == id {
			delete(l.bed, b)
		}
	}
}

func TestResultsCarryEveryTypeAndTheReport(t *testing.T) {
	g, err := NewWith(Options{PDF: true})
	if err != nil {
		t.Fatal(err)
	}
	types := map[string]bool{}
	for range 30 {
		msg, err := g.Message(ORU, "R01")
		if err != nil {
			t.Fatal(err)
		}
		m := parse(t, msg)
		for _, typ := range m.List(hl7.MustPath("OBX(*)-2")) {
			types[typ] = true
		}
		pdf, err := base64.StdEncoding.DecodeString(get(m, "OBX(2=ED)-5.5"))
		if err != nil || !strings.HasPrefix(string(pdf), "%PDF-1.4\n") {
			t.Fatalf("the report of %d bytes: %v", len(pdf), err)
		}
	}
	for _, want := range []string{"NM", "TX", "CE", "ED"} {
		if !types[want] {
			t.Errorf("no observation of type %s", want)
		}
	}
}

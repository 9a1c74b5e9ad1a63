package main

import (
	"bytes"
	"crypto/sha256"
	"testing"
)

const aMessage = "MSH|^~\\&|A|B|C|D|20260101||ADT^A01|1|P|2.5\rPID|1\r"

func TestBodies(t *testing.T) {
	rows := []struct {
		name, file string
		want       int
	}{
		{"one message", aMessage, 1},
		{"two messages", aMessage + aMessage, 2},
		{"a batch of one", "FHS|^~\\&\rBHS|^~\\&\r" + aMessage + "BTS|1\rFTS|1\r", 1},
		{"no message", "hello", 1},
		{"empty", "", 1},
		{"framed", "\x0b" + aMessage + "\x1c\r\x0b" + aMessage + "\x1c\r", 1},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			got := bodies([]byte(row.file))
			if len(got) != row.want {
				t.Fatalf("%d bodies, want %d", len(got), row.want)
			}
			if row.name == "a batch of one" && !bytes.Equal(got[0], []byte(aMessage)) {
				t.Error("the envelope of the batch was not taken off")
			}
			if row.want == 1 && row.name != "a batch of one" && string(got[0]) != row.file {
				t.Error("a file that is no batch must be sent as it is")
			}
		})
	}
}

func TestTallyPutsEachItemInOnePlace(t *testing.T) {
	body := []byte(aMessage)
	size := int64(len(body))
	there := func() map[[32]byte]int { return map[[32]byte]int{sha256.Sum256(body): 1} }
	rows := []struct {
		name    string
		item    item
		records []listed
		box     map[[32]byte]int
		want    tally
	}{
		{"delivered", item{body: body, codes: []string{"AA"}}, []listed{{Outcome: "routed", Size: size}}, there(), tally{delivered: 1}},
		{"routed, not there", item{body: body}, []listed{{Outcome: "routed", Size: size}}, nil, tally{lost: 1, altered: 1}},
		{"stored with another size", item{body: body}, []listed{{Outcome: "routed", Size: 3}}, there(), tally{lost: 1}},
		{"stored twice", item{body: body}, []listed{{Outcome: "routed", Size: size}, {Outcome: "routed", Size: size}}, there(), tally{lost: 1}},
		{"no record, no refusal", item{body: body, codes: []string{"AA"}}, nil, nil, tally{lost: 1}},
		{"no record, refused", item{body: body, codes: []string{"AE"}}, nil, nil, tally{refused: 1}},
		{"rejected", item{body: body, codes: []string{"AR"}}, []listed{{Outcome: "rejected", Size: size, Reason: "x"}}, nil, tally{rejected: 1}},
		{"rejected, but the sender was told otherwise", item{body: body, codes: []string{"AA"}}, []listed{{Outcome: "rejected", Size: size, Reason: "x"}}, nil, tally{lost: 1}},
		{"quarantined", item{body: body}, []listed{{Outcome: "quarantined", Size: size, Reason: "x"}}, nil, tally{quarantined: 1}},
		{"held without a reason", item{body: body}, []listed{{Outcome: "held", Size: size}}, nil, tally{held: 1, noReason: 1}},
		{"dropped", item{body: body}, []listed{{Outcome: "dropped", Size: size, Reason: "x"}}, nil, tally{lost: 1}},
		{"frame bytes", item{body: body, framed: true}, []listed{{Outcome: "routed", Copies: 1}}, nil, tally{framed: 1, framedDelivered: 1}},
		{"hung", item{body: body, hung: true}, []listed{{Outcome: "routed", Size: size}}, there(), tally{delivered: 1, hung: 1}},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			c := &corpusRun{items: []*item{&row.item}}
			have := c.tally(map[int][]listed{0: row.records}, row.box)
			if have.total() != 1 {
				t.Errorf("one item counted %d times", have.total())
			}
			have.why, have.framedLines, have.faults = nil, nil, nil
			if h, w := *have, row.want; h.delivered != w.delivered || h.rejected != w.rejected || h.quarantined != w.quarantined ||
				h.held != w.held || h.refused != w.refused || h.framed != w.framed || h.lost != w.lost ||
				h.framedDelivered != w.framedDelivered || h.hung != w.hung || h.altered != w.altered || h.noReason != w.noReason {
				t.Errorf("\n have %+v\n want %+v", h, w)
			}
		})
	}
}

func TestRecordsAreSplitAtTheProbes(t *testing.T) {
	g := generator{prefix: 'C'}
	c := &corpusRun{gen: g, items: make([]*item, 3)}
	got := c.records([]listed{{Control: "x"}, {Control: g.id(0, 0)}, {Control: g.id(0, 1)}, {Control: "y"}, {Control: "z"}, {Control: g.id(0, 2)}})
	if len(got[0]) != 1 || len(got[1]) != 0 || len(got[2]) != 2 || c.probes != 3 {
		t.Errorf("split as %v, %d probes", got, c.probes)
	}
}

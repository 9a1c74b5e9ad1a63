package main

import (
	"bytes"
	"testing"
)

// The ledger is the oracle: each row plants one fault and names the figure that
// must show it.
func TestLedgerShowsEveryFault(t *testing.T) {
	gen := generator{prefix: 'T', seed: 7, size: 600}
	whole := func(l *ledger) {
		for seq := range 3 {
			l.sent(0, seq)
			l.acked(0, seq)
			l.inBox("f", gen.body(0, seq), "LAB")
			l.atPeer(gen.with("THERE", 0, seq), "THERE")
		}
	}
	rows := []struct {
		name  string
		do    func(*ledger)
		want  verdict
		fault bool
	}{
		{"nothing wrong", whole, verdict{sent: 3, acked: 3, inBox: 3, atPeer: 3}, false},
		{"sent again", func(l *ledger) { whole(l); l.sent(0, 1) }, verdict{sent: 3, acked: 3, resent: 1, inBox: 3, atPeer: 3}, false},
		{"acknowledged and nowhere", func(l *ledger) { whole(l); l.sent(0, 3); l.acked(0, 3) },
			verdict{sent: 4, acked: 4, inBox: 3, boxOff: 1, atPeer: 3, peerOff: 1}, false},
		{"sent, neither acknowledged nor delivered", func(l *ledger) { whole(l); l.sent(0, 3) },
			verdict{sent: 4, acked: 3, inBox: 3, atPeer: 3}, false},
		{"twice in the mailbox", func(l *ledger) { whole(l); l.inBox("f", gen.body(0, 1), "LAB") },
			verdict{sent: 3, acked: 3, inBox: 3, boxRepeats: 1, atPeer: 3}, false},
		{"twice under another name", func(l *ledger) { whole(l); l.inBox("g", gen.body(0, 1), "LAB") },
			verdict{sent: 3, acked: 3, inBox: 3, boxRepeats: 1, otherName: 1, atPeer: 3}, false},
		{"twice at the peer", func(l *ledger) { whole(l); l.atPeer(gen.with("THERE", 0, 0), "THERE") },
			verdict{sent: 3, acked: 3, inBox: 3, atPeer: 3, peerRepeats: 1}, false},
		{"out of order at the peer", func(l *ledger) {
			whole(l)
			l.sent(0, 3)
			l.sent(0, 4)
			l.atPeer(gen.with("THERE", 0, 4), "THERE")
			l.atPeer(gen.with("THERE", 0, 3), "THERE")
		}, verdict{sent: 5, acked: 3, inBox: 3, atPeer: 3, disorder: 1}, false},
		{"one byte changed in the mailbox", func(l *ledger) {
			whole(l)
			l.inBox("f", bytes.Replace(gen.body(0, 0), []byte("ANN"), []byte("BNN"), 1), "LAB")
			l.inBox("f", bytes.Replace(gen.body(0, 0), []byte("Smith"), []byte("Smyth"), 1), "LAB")
		}, verdict{sent: 3, acked: 3, inBox: 3, boxRepeats: 2, atPeer: 3}, true},
		{"the body of another message", func(l *ledger) {
			whole(l)
			l.sent(0, 3)
			l.acked(0, 3)
			l.atPeer(bytes.Replace(gen.with("THERE", 0, 2), []byte(gen.id(0, 2)), []byte(gen.id(0, 3)), 1), "THERE")
			l.inBox("f", gen.body(0, 3), "LAB")
		}, verdict{sent: 4, acked: 4, inBox: 4, atPeer: 4}, true},
		{"cut short at the peer", func(l *ledger) { whole(l); l.atPeer(gen.with("THERE", 0, 2)[:500], "THERE") },
			verdict{sent: 3, acked: 3, inBox: 3, atPeer: 3, peerRepeats: 1}, true},
		{"from nowhere", func(l *ledger) { whole(l); l.inBox("f", []byte("MSH|x"), "LAB") },
			verdict{sent: 3, acked: 3, inBox: 3, atPeer: 3}, true},
	}
	for _, row := range rows {
		t.Run(row.name, func(t *testing.T) {
			l := newLedger(gen, 1)
			row.do(l)
			if have := l.verdict(); !same(have, row.want) {
				t.Errorf("verdict\n have %+v\n want %+v", have, row.want)
			}
			if have := len(l.faultList()) > 0; have != row.fault {
				t.Errorf("faults %v, want any: %t", l.faultList(), row.fault)
			}
		})
	}
}

func TestGenerator(t *testing.T) {
	g := generator{prefix: 'G', seed: 3, size: 1000}
	a, b := g.body(4, 56), g.with("SOMEBODY", 4, 56)
	if len(a) != 1000 {
		t.Errorf("%d bytes, want 1000", len(a))
	}
	if !bytes.Equal(a, bytes.Replace(b, []byte("|SOMEBODY|"), []byte("|LAB|"), 1)) {
		t.Error("another MSH-5 changes more than MSH-5")
	}
	if bytes.Equal(a[300:], g.body(4, 57)[300:]) {
		t.Error("two messages are alike but for their head")
	}
	conn, seq, ok := g.parseID(controlID(a))
	if conn != 4 || seq != 56 || !ok {
		t.Errorf("control id reads as %d, %d, %t", conn, seq, ok)
	}
	for _, id := range []string{"", "G04-00000005", "X04-000000056", "G04000000056-", "G0x-000000056", "G04--00000056"} {
		if _, _, ok := g.parseID([]byte(id)); ok {
			t.Errorf("%q passes for a control id", id)
		}
	}
}

func TestControlID(t *testing.T) {
	rows := []struct{ name, msg, want string }{
		{"in the middle", "MSH|^~\\&|a|b|c|d|e||ADT^A01|ID7|P|2.5\rPID|", "ID7"},
		{"at the end of the segment", "MSH|^~\\&|a|b|c|d|e||ADT^A01|ID7\rPID|x", "ID7"},
		{"at the end of all", "MSH|^~\\&|a|b|c|d|e||ADT^A01|ID7", "ID7"},
		{"none", "MSH|^~\\&|a", ""},
	}
	for _, row := range rows {
		if have := string(controlID([]byte(row.msg))); have != row.want {
			t.Errorf("%s: %q, want %q", row.name, have, row.want)
		}
	}
}

// same compares what a row names; the most is told by the repeats.
func same(have, want verdict) bool {
	want.most = have.most
	return have == want && have.most <= 1+have.boxRepeats
}

package nets

import (
	"net/netip"
	"testing"
	"time"
)

func TestDoor(t *testing.T) {
	d := NewDoor(nil, 3, 2)
	a, b := netip.MustParseAddr("10.0.0.1"), netip.MustParseAddr("10.0.0.2")
	for i, want := range []Verdict{Welcome, Welcome, Greedy} {
		if got := d.Enter(a); got != want {
			t.Errorf("%d: %v", i, got)
		}
	}
	if d.Enter(b) != Welcome || d.Enter(b) != Crowded {
		t.Error("the third connection in all is welcome, the fourth is not")
	}
	d.Leave(a)
	if d.Enter(b) != Welcome {
		t.Error("who leaves makes room")
	}
}

func TestQuiet(t *testing.T) {
	q, t0 := NewQuiet(), time.Unix(1e9, 0)
	ip := netip.MustParseAddr("10.0.0.1")
	for i, tc := range []struct {
		after   time.Duration
		due     bool
		skipped int
	}{{0, true, 0}, {time.Second, false, 0}, {59 * time.Second, false, 0}, {time.Minute, true, 2}, {90 * time.Second, false, 0}, {time.Hour, true, 1}} {
		if n, due := q.Speak(ip, "x", t0.Add(tc.after)); due != tc.due || n != tc.skipped {
			t.Errorf("%d: due %t, skipped %d", i, due, n)
		}
	}
	for i := range 10 * quietPeers { // a scan from everywhere fills no memory
		q.Speak(netip.AddrFrom4([4]byte{11, 0, byte(i >> 8), byte(i)}), "x", t0.Add(time.Hour))
	}
	if len(q.said) > quietPeers {
		t.Errorf("%d peers remembered", len(q.said))
	}
}

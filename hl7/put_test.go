package hl7

import (
	"fmt"
	"math/rand/v2"
	"testing"
)

// TestPut: the short way writes what the long way writes, or leaves it to it.
func TestPut(t *testing.T) {
	inputs := []string{
		adt, sample,
		"MSH|^~\\&|A\rPID\rPV1|\rOBX|1|TX|||a\nb",
		"MSH|^~|A|B\rPID|1||9~8^7|a&b^c\r",
		"MSH|^|A|B\rPID|1||9~8^7|a&b^c\r",
		"MSH*:+!%*A*B\rPID*1**9+8:7*a%b:c\rPID*2\r",
		"MSH|^~\\&|A\nPID|1||9\n",
	}
	r := rand.New(rand.NewPCG(3, 5))
	done := 0
	for range 20000 {
		in := []byte(inputs[r.IntN(len(inputs))])
		short, long := parse(t, string(in)), parse(t, string(in))
		for range 1 + r.IntN(3) {
			p := MustPath(randomPath(r))
			er7 := []byte([]string{"", "x", "9", `""`, "longer than what was there", "a\nb", "12 34"}[r.IntN(7)])
			before := string(short.Bytes())
			switch {
			case !short.put(p.p, er7):
				if string(short.Bytes()) != before {
					t.Fatalf("%s of %q: refused, and changed", p, before)
				}
				_ = short.edit(p, len(er7) > 0, func([]byte) ([]byte, error) { return er7, nil })
			default:
				done++
			}
			err := long.edit(p, len(er7) > 0, func([]byte) ([]byte, error) { return er7, nil })
			if got, want := string(short.Bytes()), string(long.Bytes()); got != want || short.Edited() != long.Edited() {
				t.Fatalf("%s = %q in %q: got %q, want %q (%v)", p, er7, before, got, want, err)
			}
		}
	}
	if done < 5000 {
		t.Errorf("only %d went the short way", done)
	}
}

func randomPath(r *rand.Rand) string {
	p := fmt.Sprintf("%s%s-%d%s", []string{"MSH", "PID", "PV1", "OBX", "ZZ9"}[r.IntN(5)],
		[]string{"", "", "", "(#1)", "(#2)", "(*)"}[r.IntN(6)], 1+r.IntN(8), []string{"", "", "", "(#1)", "(#2)", "(*)"}[r.IntN(6)])
	if r.IntN(2) == 0 {
		p += fmt.Sprintf(".%d", 1+r.IntN(4))
		if r.IntN(2) == 0 {
			p += fmt.Sprintf(".%d", 1+r.IntN(3))
		}
	}
	return p
}

// TestPutInClones: clones share what is written, and none writes over the other.
func TestPutInClones(t *testing.T) {
	at := MustPath("PID-5.1")
	all := []*Message{parse(t, adt)}
	want := map[*Message]string{}
	for n := range 40 {
		c := all[n/2].Clone()
		all = append(all, c)
		for i, m := range []*Message{c, all[n/2]} {
			want[m] = fmt.Sprintf("name %d %d", n, i)
			if err := m.Set(at, want[m]); err != nil {
				t.Fatal(err)
			}
		}
	}
	for i, m := range all {
		if got := m.Get(at); got != want[m] {
			t.Errorf("message %d: got %q, want %q", i, got, want[m])
		}
	}
}

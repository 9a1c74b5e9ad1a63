package main

import (
	"crypto/sha256"
	"fmt"
	"slices"
)

// tally sorts the items of the corpus by what became of them: each into exactly
// one of the first counts.
type tally struct {
	delivered, rejected, quarantined, held, refused, framed, lost int

	framedDelivered         int // messages out of bodies with frame bytes
	hung, altered, noReason int
	why                     map[string]int // outcome: reason -> items
	framedLines, faults     []string
}

func (t *tally) total() int {
	return t.delivered + t.rejected + t.quarantined + t.held + t.refused + t.framed + t.lost
}

func (t *tally) reasons() []string {
	var out []string
	for k, n := range t.why {
		out = append(out, fmt.Sprintf("%4d %s", n, k))
	}
	slices.Sort(out)
	slices.Reverse(out)
	return out
}

func (c *corpusRun) tally(byItem map[int][]listed, inBox map[[32]byte]int) *tally {
	t := &tally{why: map[string]int{}}
	for i, it := range c.items {
		if it.hung {
			t.hung++
		}
		if it.framed {
			t.frameBytes(it, byItem[i])
			continue
		}
		t.one(it, byItem[i], inBox)
	}
	return t
}

// frameBytes: the body breaks the frame, so the wire itself says something else
// than the file. What the listener made of it is told, and must be accounted for.
func (t *tally) frameBytes(it *item, records []listed) {
	t.framed++
	outcomes := []string{}
	for _, r := range records {
		outcomes = append(outcomes, r.Outcome)
		if r.Outcome == "routed" {
			t.framedDelivered += r.Copies
		}
	}
	end := ""
	if it.closed {
		end = ", connection closed"
	}
	t.framedLines = append(t.framedLines, fmt.Sprintf("frame bytes inside: %s (%d bytes): %d stored %v, %s%s",
		it.file, len(it.body), len(records), outcomes, quoteCodes(it.codes), end))
}

func (t *tally) one(it *item, records []listed, inBox map[[32]byte]int) {
	if len(records) != 1 {
		if len(records) == 0 && refusedWith(it.codes) {
			t.refused++
			return
		}
		t.lose(it, fmt.Sprintf("%d records", len(records)))
		return
	}
	r := records[0]
	if r.Outcome != "routed" {
		t.why[r.Outcome+": "+r.Reason]++
		if r.Reason == "" {
			t.noReason++
		}
	}
	switch {
	case r.Size != int64(len(it.body)):
		t.lose(it, fmt.Sprintf("stored with %d bytes", r.Size))
	case r.Outcome == "routed":
		t.identical(it, inBox)
	case r.Outcome == "rejected" && refusedWith(it.codes):
		t.rejected++
	case r.Outcome == "quarantined":
		t.quarantined++
	case r.Outcome == "held":
		t.held++
	default:
		t.lose(it, r.Outcome)
	}
}

// identical takes the item's bytes out of what the mailbox holds.
func (t *tally) identical(it *item, inBox map[[32]byte]int) {
	sum := sha256.Sum256(it.body)
	if inBox[sum] == 0 {
		t.altered++
		t.lose(it, "routed, but the mailbox has no file with these bytes")
		return
	}
	inBox[sum]--
	t.delivered++
}

func (t *tally) lose(it *item, why string) {
	t.lost++
	if len(t.faults) < 10 {
		t.faults = append(t.faults, fmt.Sprintf("%s (%d bytes): %s, %s", it.file, len(it.body), why, quoteCodes(it.codes)))
	}
}

func refusedWith(codes []string) bool {
	return slices.ContainsFunc(codes, func(c string) bool { return len(c) == 2 && (c[1] == 'E' || c[1] == 'R') })
}

package feedtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
)

// of gives the copies at a destination, in the order they were queued.
func (v *verifier) of(d routes.SpecDestination) []*record {
	var out []*record
	for _, r := range v.copies {
		if r.d.Queue == d.Queue && (d.Feed == "" || d.Feed == r.d.Feed) {
			out = append(out, r)
		}
	}
	return out
}

// delivered compares what arrived for good, at the destinations named and at all
// others of the feeds that count.
func (v *verifier) delivered(want *routes.SpecDelivered) {
	if want == nil {
		return
	}
	for i := range want.To {
		v.deliveredTo(&want.To[i])
	}
	for _, r := range v.copies {
		named := slices.ContainsFunc(want.To, func(d routes.SpecDeliveries) bool {
			return d.Queue == r.d.Queue && (d.Feed == "" || d.Feed == r.d.Feed)
		})
		if !named && v.counts(r.d.Feed) && r.state == message.Delivered {
			v.fail(want.Place, "%sdelivered to %s, which is not expected", v.which(r.of), v.nameOf(r))
		}
	}
}

// nameOf is a queue as its feed's tests call it, and the copy.
func (v *verifier) nameOf(r *record) string {
	name := strings.TrimPrefix(r.d.Queue, v.test.Feed+"/")
	return fmt.Sprintf("%s (control id %s)", name, orNone(r.d.ControlID))
}

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
}

func (v *verifier) deliveredTo(want *routes.SpecDeliveries) {
	all := v.of(want.SpecDestination)
	var got []*record
	for _, r := range all {
		if r.state == message.Delivered {
			got = append(got, r)
		}
	}
	slices.SortStableFunc(got, func(a, b *record) int { return a.order - b.order })
	for i := range min(len(got), len(want.Copies)) {
		where := want.Name
		if len(want.Copies) > 1 || len(got) > 1 {
			where = fmt.Sprintf("%s, copy %d (control id %s)", want.Name, i+1, orNone(got[i].d.ControlID))
		}
		v.copyIs(where, &want.Copies[i], got[i])
	}
	for i := len(want.Copies); i < len(got); i++ {
		v.fail(want.Place, "%s: expected %s, got one more (control id %s)", want.Name, number(len(want.Copies)), orNone(got[i].d.ControlID))
	}
	if len(got) < len(want.Copies) {
		v.fail(want.Copies[len(got)].Place, "%s: expected %s, got %d%s", want.Name, number(len(want.Copies)), len(got), v.whyNot(all))
	}
}

func number(copies int) string {
	if copies == 1 {
		return "1 copy"
	}
	return fmt.Sprintf("%d copies", copies)
}

// whyNot says what has become of the copies that were not delivered, or of the
// messages if there are no copies.
func (v *verifier) whyNot(all []*record) string {
	if len(all) == 0 {
		return v.instead()
	}
	out := ""
	for _, r := range all {
		if r.state == message.Delivered {
			continue
		}
		out += fmt.Sprintf("; control id %s: %s", orNone(r.d.ControlID), r.state)
		if r.stopped {
			out += " and stopped"
		}
		switch {
		case r.attempts == 1:
			out += ", tried once"
		case r.attempts > 1:
			out += fmt.Sprintf(", tried %d times", r.attempts)
		}
		if r.reason != "" {
			out += ": " + because(r.reason, r.d.Rule)
		}
	}
	return out
}

// met reports whether a copy has met a fate.
func met(r *record, fate routes.CopyFate) bool {
	switch fate {
	case routes.FateDeadLettered:
		return r.state == message.DeadLettered
	case routes.FateHeld:
		return r.state == message.CopyHeld
	case routes.FateExpired:
		return r.state == message.Expired
	case routes.FateStopped:
		return r.state == message.Queued && r.stopped
	}
	return r.state == message.Queued
}

// fates compares which copies were not delivered, and how they ended.
func (v *verifier) fates(want *routes.SpecCopies) {
	for i := range want.To {
		v.fate(want.Fate, &want.To[i])
	}
	for _, r := range v.copies {
		named := slices.ContainsFunc(want.To, func(d routes.SpecCount) bool {
			return d.Queue == r.d.Queue && (d.Feed == "" || d.Feed == r.d.Feed)
		})
		if !named && v.counts(r.d.Feed) && met(r, want.Fate) {
			v.fail(want.Place, "%s%s has a copy that is %s, which is not expected%s", v.which(r.of), v.nameOf(r), want.Fate, v.whyNot([]*record{r}))
		}
	}
}

func (v *verifier) fate(fate routes.CopyFate, want *routes.SpecCount) {
	all := v.of(want.SpecDestination)
	var ids []string
	for _, r := range all {
		if !met(r, fate) {
			continue
		}
		ids = append(ids, r.d.ControlID)
		if want.Reason != nil && !matchesText(want.Reason, r.reason) {
			v.fail(want.Place, "%s: expected %s %s, got %s", want.Name, fate, describe(want.Reason), because(fmt.Sprintf("%q", r.reason), r.d.Rule))
		}
	}
	switch {
	case want.Reason != nil && len(ids) == 0:
		v.fail(want.Place, "%s: expected a copy %s, there is none%s", want.Name, fate, v.whyNot(all))
	case want.ControlIDs != nil && !slices.Equal(ids, want.ControlIDs):
		v.fail(want.Place, "%s: expected %s %q, got %q%s", want.Name, fate, want.ControlIDs, ids, v.whyNot(all))
	case want.Count >= 0 && len(ids) != want.Count:
		v.fail(want.Place, "%s: expected %d %s, got %d%s", want.Name, want.Count, fate, len(ids), v.whyNot(all))
	}
}

func (v *verifier) attempts(wants []routes.SpecTries) {
	for _, want := range wants {
		all := v.of(want.SpecDestination)
		var got []int
		for _, r := range all {
			got = append(got, r.attempts)
		}
		if !slices.Equal(got, want.Tries) {
			v.fail(want.Place, "%s: expected attempts %v, got %v%s", want.Name, want.Tries, got, v.whyNot(all))
		}
	}
}

func (v *verifier) arrived(wants []routes.SpecArrived) {
	for _, want := range wants {
		var got []string
		for _, q := range v.queues {
			if q.name == want.Queue {
				got = q.peer.arrived
			}
		}
		if !slices.Equal(got, want.ControlIDs) {
			v.fail(want.Place, "%s: expected arrivals %s, got %s", want.Name, some(want.ControlIDs), some(got))
		}
	}
}

// some shows a list, cut when it is long.
func some(ids []string) string {
	const most = 20
	if len(ids) <= most {
		return fmt.Sprintf("%q", ids)
	}
	return fmt.Sprintf("%q and %d more", ids[:most], len(ids)-most)
}

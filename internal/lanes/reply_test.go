package lanes_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spine-engine/spine-engine/internal/lanes"
	"github.com/spine-engine/spine-engine/internal/message"
)

func TestReplyTable(t *testing.T) {
	full := map[string]lanes.Rule{
		"AA": {Do: lanes.Done}, "AR": {Do: lanes.DeadLetter}, "CE": {Do: lanes.Hold}, "CR": {Do: lanes.Stop}, "410": {Do: lanes.Expire},
		"2xx": {Do: lanes.Done}, "404": {Do: lanes.Hold}, "4xx": {Do: lanes.DeadLetter}, "other": {Do: lanes.Stop},
	}
	none := map[string]lanes.Rule{"none": {Do: lanes.Done}, "wrong_id": {Do: lanes.Hold}}
	const retried, stopped = "retried", "stopped"
	for _, c := range []struct {
		name  string
		table map[string]lanes.Rule
		code  string
		want  string
	}{
		{"exact", full, "AA", "delivered"},
		{"dead letter", full, "AR", "dead-lettered"},
		{"hold", full, "CE", "held"},
		{"stop", full, "CR", stopped},
		{"expire", full, "410", "expired"},
		{"class", full, "204", "delivered"},
		{"exact before class", full, "404", "held"},
		{"another class", full, "422", "dead-lettered"},
		{"other for a code without a row", full, "XX", stopped},
		{"other for a class without a row", full, "503", stopped},
		{"none is no other answer", full, "none", retried},
		{"wrong id is no other answer", full, "wrong_id", retried},
		{"unreadable is no other answer", full, "unreadable", retried},
		{"an empty code is no other answer", full, "", retried},
		{"no answer by its own row", none, "none", "delivered"},
		{"wrong id by its own row", none, "wrong_id", "held"},
		{"unknown code without other", none, "AA", retried},
		{"unknown class without other", none, "200", retried},
		{"written needs no row", nil, "written", "delivered"},
		{"written by its own row", map[string]lanes.Rule{"written": {Do: lanes.Hold}}, "written", "held"},
		{"error", full, "!", retried},
		{"permanent error", full, "!!", "dead-lettered"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScript(t, lanes.Policy{Reply: c.table, Retry: backoff()})
			s.add("", 1, 2)
			s.answer(c.code)
			got := retried
			switch {
			case len(s.finished) == 1:
				got = s.finished[0].State.String()
				s.wantSent([]uint64{2})
			case len(s.notes) == 1 && s.notes[0].Stopped:
				got = stopped
				s.wantWake(0)
			case len(s.notes) == 1 && s.notes[0].Attempts == 1:
				s.wantWake(2)
			default:
				t.Fatalf("nothing was recorded")
			}
			if got != c.want {
				t.Fatalf("copy was %s, want %s", got, c.want)
			}
		})
	}
}

func TestRetriesOfACodeThen(t *testing.T) {
	for _, c := range []struct {
		then lanes.Then
		want message.CopyState
	}{
		{lanes.DeadLetter, message.DeadLettered}, {lanes.Hold, message.CopyHeld}, {lanes.Expire, message.Expired},
	} {
		t.Run(c.then.String(), func(t *testing.T) {
			s := newScript(t, lanes.Policy{Retry: backoff(), Reply: map[string]lanes.Rule{
				"AE": {Do: lanes.Retry, Retries: 2, Then: c.then, Place: message.Place{File: "feeds/adt.yaml", Line: 31}}}})
			s.add("", 1, 2)
			s.answer("AE")
			s.to(2)
			s.answer("!") // counts nothing for AE
			s.to(6)
			s.answer("AE")
			s.to(14)
			s.answer("AE")
			s.wantEnds(end{1, c.want, 4, "AE"})
			s.wantSent([]uint64{2})
			if r := s.finished[0].Reason; !strings.Contains(r, "2 retries") || !strings.Contains(r, "feeds/adt.yaml:31") {
				t.Fatalf("reason %q", r)
			}
		})
	}
}

func TestStopWaitsForAPerson(t *testing.T) {
	rules := map[string]lanes.Rule{"AA": {Do: lanes.Done}, "AE": {Do: lanes.Retry, Retries: 1, Then: lanes.Stop}}
	stopped := func(t *testing.T) *script {
		s := newScript(t, lanes.Policy{Reply: rules, Retry: backoff(), Concurrency: 2})
		s.add("", 1, 2)
		s.answer("AE")
		s.to(2)
		s.answer("AE")
		s.wantSent()
		s.wantWake(0)
		if n := s.notes[len(s.notes)-1]; !n.Stopped || n.Attempts != 2 || n.Code != "AE" || n.State != message.Queued {
			t.Fatalf("note of the stop: %+v", n)
		}
		s.to(100_000)
		s.wantSent()
		return s
	}
	t.Run("other lanes go on", func(t *testing.T) {
		s := stopped(t)
		s.add("other", 9)
		s.wantSent([]uint64{9})
	})
	t.Run("a kick does not start it", func(t *testing.T) {
		s := stopped(t)
		s.q.Kick(s.now())
		s.next()
		s.wantSent()
	})
	t.Run("queued again in its place, with all its retries", func(t *testing.T) {
		s := stopped(t)
		d := s.copyOf(1, "")
		d.Attempts = 2 // the record goes on, the waits begin anew
		s.q.Added(s.now(), []*message.Delivery{d})
		s.next()
		s.wantSent([]uint64{1})
		s.answer("AE")
		s.wantWake(100_002)
		s.to(100_002)
		s.answer("AA")
		s.wantSent([]uint64{2})
		s.wantEnds(end{1, message.Delivered, 4, "AA"})
	})
	t.Run("discarded", func(t *testing.T) {
		s := stopped(t)
		s.q.Removed(s.now(), []message.Finished{{Key: message.Key{Seq: 1}, Pos: 1}})
		s.next()
		s.wantSent([]uint64{2})
		s.wantEnds()
	})
	t.Run("stopped before the start", func(t *testing.T) {
		s := newScript(t, lanes.Policy{Reply: rules, Retry: backoff()})
		s.q.Restore([]lanes.Lane{{Count: 2, Last: 2}})
		s.next()
		d := s.copyOf(1, "")
		d.Stopped, d.Attempts = true, 2
		s.q.Loaded(s.now(), "", []*message.Delivery{d, s.copyOf(2, "")}, nil)
		s.next()
		s.wantSent()
		s.add("", 1)
		s.wantSent([]uint64{1})
	})
}

func TestBatch(t *testing.T) {
	rules := map[string]lanes.Rule{"stop": {Do: lanes.Stop}, "hold": {Do: lanes.Hold}}
	for _, c := range []struct {
		name  string
		codes []string
		ends  []end
		sent  [][]uint64
		wake  float64
	}{
		{"all written", []string{"written", "written", "written"},
			[]end{{1, message.Delivered, 1, "written"}, {2, message.Delivered, 1, "written"}, {3, message.Delivered, 1, "written"}}, [][]uint64{{4}}, 0},
		{"rest not tried", []string{"written"},
			[]end{{1, message.Delivered, 1, "written"}}, [][]uint64{{2, 3, 4}}, 0},
		{"second fails", []string{"written", "!"},
			[]end{{1, message.Delivered, 1, "written"}}, nil, 2},
		{"what stands behind a failure is not believed", []string{"written", "!", "written"},
			[]end{{1, message.Delivered, 1, "written"}}, nil, 2},
		{"second set aside, the third counts", []string{"written", "!!", "written"},
			[]end{{1, message.Delivered, 1, "written"}, {2, message.DeadLettered, 1, ""}, {3, message.Delivered, 1, "written"}}, [][]uint64{{4}}, 0},
		{"first held", []string{"hold"}, []end{{1, message.CopyHeld, 1, "hold"}}, [][]uint64{{2, 3, 4}}, 0},
		{"first stops", []string{"stop", "written"}, nil, nil, 0},
		{"nothing tried: no spinning", nil, nil, nil, 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newScript(t, lanes.Policy{Reply: rules, Retry: backoff(), Batch: 3})
			s.q.Added(s.now(), []*message.Delivery{s.copyOf(1, ""), s.copyOf(2, ""), s.copyOf(3, ""), s.copyOf(4, "")})
			s.next()
			s.wantSent([]uint64{1, 2, 3})
			s.answer(c.codes...)
			s.wantEnds(c.ends...)
			s.wantSent(c.sent...)
			s.wantWake(c.wake)
		})
	}
}

func TestResultsOfOtherCopiesAreIgnored(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table, Retry: backoff()})
	s.add("", 1)
	s.q.Done(s.now(), "nobody", []lanes.Result{{Key: message.Key{Seq: 1}, Code: "AA"}})
	s.q.Done(s.now(), "", []lanes.Result{{Key: message.Key{Seq: 7}, Code: "AA"}})
	s.next()
	s.wantEnds()
	s.sent = s.sent[1:]
	s.wantSent([]uint64{1})
	s.q.Done(s.now(), "", []lanes.Result{{Key: message.Key{Seq: 1}, Code: "AA"}})
	s.q.Done(s.now(), "", []lanes.Result{{Key: message.Key{Seq: 1}, Code: "AA"}})
	s.next()
	s.wantEnds(end{1, message.Delivered, 1, "AA"})
}

func TestEmittedCopiesKeepTheirOrder(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table, Retry: backoff()})
	var ds []*message.Delivery
	for n := range uint16(3) {
		d := s.copyOf(5, "")
		d.Key.N = n
		ds = append(ds, d)
	}
	s.q.Added(s.now(), ds)
	s.next()
	var got []uint16
	for range 3 {
		got = append(got, s.sent[0].Deliveries[0].Key.N)
		s.answer("AA")
	}
	if d := cmp.Diff([]uint16{0, 1, 2}, got); d != "" {
		t.Fatal(d)
	}
}

func TestQueuedAgainAtTheEnd(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: table, Retry: backoff()})
	s.add("", 1, 2)
	s.answer("AR") // set aside
	d := s.copyOf(1, "")
	d.Pos = 3
	s.q.Added(s.now(), []*message.Delivery{d})
	s.next()
	s.answer("AA")
	s.wantSent([]uint64{1})
	s.answer("AA")
	s.wantEnds(end{1, message.DeadLettered, 1, "AR"}, end{2, message.Delivered, 1, "AA"}, end{1, message.Delivered, 1, "AA"})
	if s.finished[2].Pos != 3 {
		t.Fatalf("delivered under place %d, want 3", s.finished[2].Pos)
	}
}

func TestReasonsAreShortAndNameNoLane(t *testing.T) {
	s := newScript(t, lanes.Policy{Reply: map[string]lanes.Rule{"AE": {Do: lanes.Retry, Retries: 1, Then: lanes.Hold}}, Retry: backoff()})
	s.add("9990000018", 1)
	for i, code := range []string{"none", "wrong_id", "unreadable", "AE", strings.Repeat("x", 5000), "AE"} {
		s.to(float64(100 * (i + 1)))
		s.answer(code)
	}
	if len(s.finished) != 1 || len(s.notes) != 5 {
		t.Fatalf("%d ends, %d notes", len(s.finished), len(s.notes))
	}
	for _, f := range append(s.notes, s.finished...) {
		if f.Reason == "" || len(f.Reason) > 500 || strings.Contains(f.Reason, "999") {
			t.Errorf("reason %q", f.Reason)
		}
	}
}

func TestDoNames(t *testing.T) {
	for do, want := range map[lanes.Do]string{lanes.Retry: "retry", lanes.Done: "done", lanes.DeadLetter: "dead_letter",
		lanes.Hold: "hold", lanes.Stop: "stop", lanes.Expire: "expire", 99: "unknown"} {
		if do.String() != want {
			t.Errorf("%d is %q, want %q", do, do, want)
		}
	}
}

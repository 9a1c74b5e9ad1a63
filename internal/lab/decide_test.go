package main

import (
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/adapters/mailbox"
	"github.com/spine-engine/spine-engine/adapters/mllp"
	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
)

// decideMain is the part of the experiment decide that looks inside the engine,
// which the laboratory's own code never does; so it stands among the tests, and the
// experiment runs it as a process: _decide -dir PROJECT -slice 50ms -rounds 20.
//
// The kinds of work take turns, a slice each, in one process, so that whatever else
// the machine does falls on all of them.
func decideMain(args []string) (err error) {
	f := flag.NewFlagSet("_decide", flag.ContinueOnError)
	dir := f.String("dir", "", "project")
	slice := f.Duration("slice", 50*time.Millisecond, "")
	rounds := f.Int("rounds", 20, "")
	profile := f.String("profile", "", "write a profile of the processor's time in Decide here")
	if err := f.Parse(args); err != nil {
		return err
	}
	body, err := os.ReadFile(filepath.Join(*dir, "messages", "adt.hl7"))
	if err != nil {
		return err
	}
	works, err := decideWorks(*dir, body)
	if err != nil {
		return err
	}
	for range *rounds {
		for i := range works {
			if err := works[i].turn(*slice); err != nil {
				return fmt.Errorf("%s: %w", works[i].Name, err)
			}
		}
	}
	for i := range works {
		w := &works[i]
		w.Allocations = testing.AllocsPerRun(200, func() { err = errors.Join(err, w.do()) })
	}
	if *profile != "" {
		err = errors.Join(err, profiled(*profile, works[0])) // a copy: these seconds are no slice
	}
	return errors.Join(err, json.NewEncoder(os.Stdout).Encode(works))
}

// profiled does one kind of work for five seconds and writes where the time went.
func profiled(file string, w work) error {
	out, err := os.Create(file)
	if err != nil {
		return err
	}
	defer out.Close()
	if err := pprof.StartCPUProfile(out); err != nil {
		return err
	}
	defer pprof.StopCPUProfile()
	return w.turn(5 * time.Second)
}

// work is one thing that is measured.
type work struct {
	decideWork
	do func() error
}

// turn does it for a while, and notes the mean time of one in nanoseconds.
func (w *work) turn(length time.Duration) error {
	began, n := time.Now(), 0
	for time.Since(began) < length {
		for range 20 {
			if err := w.do(); err != nil {
				return err
			}
		}
		n += 20
	}
	w.Nanoseconds = append(w.Nanoseconds, float64(time.Since(began))/float64(n))
	return nil
}

func decideWorks(dir string, body []byte) ([]work, error) {
	plan, problems := routes.Load(os.DirFS(dir), routes.LoadOptions{Kinds: []adapters.Kind{mllp.Kind(), mailbox.Kind()}})
	if plan == nil {
		return nil, fmt.Errorf("the project has problems: %v", problems)
	}
	now := time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC)
	env := &message.Envelope{ID: message.ID{1}, Source: "in", Remote: "10.1.2.3:40000", Body: message.InMemory(body), Received: now}
	one, leaves := hl7.MustPath("MSH-5"), leavesOf(string(body))
	all := []work{
		{decideWork{Name: workDecide}, func() error {
			if d := plan.Decide(env, now); len(d.Deliveries) != 4 {
				return fmt.Errorf("outcome %s with %d copies, not 4: %v", d.Outcome, len(d.Deliveries), d.Parts)
			}
			return nil
		}},
		{decideWork{Name: workParse}, func() error { _, err := hl7.Parse(body); return err }},
		{decideWork{Name: workEncode}, func() error { return rewrite(body, []hl7.Path{one}) }},
		{decideWork{Name: workEveryField}, func() error { return rewrite(body, leaves) }},
	}
	return all, nil
}

// rewrite parses, reads and writes these fields, and encodes.
func rewrite(body []byte, at []hl7.Path) error {
	m, err := hl7.Parse(body)
	if err != nil {
		return err
	}
	for _, p := range at {
		if err := m.Set(p, m.Get(p)+"X"); err != nil {
			return err
		}
	}
	if n := len(m.Bytes()); n != len(body)+len(at) {
		return fmt.Errorf("%d bytes of %d with %d fields written", n, len(body), len(at))
	}
	return nil
}

// leavesOf are the paths of all texts of a message, as a stranger's eye finds them:
// segments between CR, fields between |, repetitions between ~, components between ^.
func leavesOf(body string) (out []hl7.Path) {
	seen := map[string]int{}
	for _, segment := range strings.Split(strings.TrimRight(body, "\r"), "\r") {
		fields := strings.Split(segment, "|")
		id := fields[0]
		seen[id]++
		shift := 0
		if id == "MSH" { // MSH-1 is the separator itself, MSH-2 the others
			shift, fields[1] = 1, ""
		}
		for f, field := range fields[1:] {
			for r, repetition := range strings.Split(field, "~") {
				for c, text := range strings.Split(repetition, "^") {
					if text != "" {
						out = append(out, hl7.MustPath(fmt.Sprintf("%s(#%d)-%d(#%d).%d", id, seen[id], f+1+shift, r+1, c+1)))
					}
				}
			}
		}
	}
	return out
}

// Every field of the message measured is among the leaves, so that "every field" is
// true.
func TestLeavesOf(t *testing.T) {
	m, err := hl7.Parse([]byte(decideMessage()))
	if err != nil {
		t.Fatal(err)
	}
	leaves := leavesOf(decideMessage())
	letters := 0
	for _, p := range leaves {
		if m.Get(p) == "" {
			t.Errorf("%s is empty", p)
		}
		letters += len(m.Get(p))
	}
	delimiters := strings.Count(decideMessage(), "|") + strings.Count(decideMessage(), "^") + strings.Count(decideMessage(), "~") + strings.Count(decideMessage(), "\r") + len(`\&`) + 3*m.Len()
	if letters+delimiters != len(decideMessage()) {
		t.Errorf("%d bytes of texts and %d of delimiters and names in a message of %d", letters, delimiters, len(decideMessage()))
	}
	if len(decideMessage()) < 950 || len(decideMessage()) > 1050 {
		t.Errorf("the message has %d bytes", len(decideMessage()))
	}
}

// Each kind of work does what its name says, once.
func TestDecideWorks(t *testing.T) {
	dir := t.TempDir()
	if err := writeDecide(dir); err != nil {
		t.Fatal(err)
	}
	works, err := decideWorks(dir, []byte(decideMessage()))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range works {
		if err := w.do(); err != nil {
			t.Errorf("%s: %v", w.Name, err)
		}
	}
}

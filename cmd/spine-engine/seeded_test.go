package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/feedtest"
)

const (
	adtFeed  = "feeds/adt-fanout.yaml"
	adtSpine = "spine.yaml"
)

// seeded is one mistake, as integrators make them, in the showcase, and who must
// find it where.
type seeded struct {
	name         string
	file         string // that is edited
	before, then string // the edit; before stands there once
	by           string // check or test
	in           string // the file that is named; "" = the same
	under, line  string // the line that is named: the first that holds line behind the first that holds under
	says         string // part of what is said
}

// At least ten are asked for; each was made by somebody once, in some engine.
var seededFaults = []seeded{
	// What check finds: at the place of the mistake itself.
	{name: "a column that the table does not have", file: adtFeed, before: "PV1-10.2: name,", then: "PV1-10.2: title,",
		by: "check", line: "map: { at: PV1-10.1", says: "title"},
	{name: "a whole MSH-9 as one literal", file: adtFeed, before: `- set: { MSH-5: EPR, MSH-6: "${value:trust}" }`, then: `- set: { MSH-5: EPR, MSH-9: ADT^A31 }`,
		by: "check", line: "MSH-9: ADT^A31", says: "MSH-9"},
	{name: "silence is not in the reply table", file: adtSpine, before: "none: { after: 30s, do: retry }", then: "CA: done",
		by: "check", under: "reply:", line: "AA: done", says: "none"},
	{name: "giving up without a word on what then", file: adtFeed, before: "give_up_after: 24h, then: dead_letter", then: "give_up_after: 24h",
		by: "check", line: "give_up_after: 24h", says: "then"},
	{name: "a named value that was renamed in one place", file: adtFeed, before: `  ward: msg["PV1-3.1"]`, then: `  station: msg["PV1-3.1"]`,
		by: "check", line: "vars.ward", says: "ward"},
	{name: "a peer that is spelled otherwise", file: adtFeed, before: "    peer: epr", then: "    peer: erp",
		by: "check", line: "peer: erp", says: "epr"},
	{name: "a value that the environment does not have", file: adtFeed, before: `MSH-4: "${value:trust}"`, then: `MSH-4: "${value:trusty}"`,
		by: "check", line: "${value:trusty}", says: "trusty"},
	{name: "one sign of equality", file: adtFeed, before: `msg["PV1-18.1"] == "COMM"`, then: `msg["PV1-18.1"] = "COMM"`,
		by: "check", line: `= "COMM"`, says: "="},
	{name: "a code twice in the table", file: "tables/specialty.csv", before: "TO,110", then: "GS,110",
		by: "check", line: "GS,110", says: "GS"},
	{name: "an unknown rule of validate", file: adtFeed, before: "rule: nhs_number ", then: "rule: nhsnumber ",
		by: "check", line: "rule: nhsnumber", says: "nhs_number"},

	// What only tests can find: at the expectation that is not met.
	{name: "another event in the list of events", file: adtFeed, before: `"A11", "A13", "A28"`, then: `"A11", "A12", "A28"`,
		by: "test", under: "a cancelled discharge is for the EPR", line: "expect:"},
	{name: "the wrong column of the table", file: adtFeed, before: "from: code,", then: "from: name,",
		by: "test", under: "what comes by file goes the same way", line: "MSH-10: PAS0201, PID-8"},
	{name: "a condition the wrong way round", file: adtFeed, before: `if: vars.ward.startsWith("TEST")`, then: `if: '!vars.ward.startsWith("TEST")'`,
		by: "test", under: "patients of the test ward", line: "expect:"},
	{name: "a selector that meets nothing", file: adtFeed, before: `remove: ["NK1(*)", "IN1(*)"]`, then: `remove: ["NK1(#2)", "IN1(*)"]`,
		by: "test", under: "an admission is none of the community's business", line: "pathology: ["},
	{name: "a character set without a word on what it lacks", file: adtFeed, before: `charset: { as: 8859/1, unfit: { replace: "?" } }`, then: "charset: { as: 8859/1 }",
		by: "test", under: "a letter that the LIMS cannot read", line: "pathology: ["},
	{name: "no lanes for patients", file: adtFeed, before: "    order: { per: PID-3(5=PI).1 } ", then: "    order: strict ",
		by: "test", under: "a patient whose message the LIMS does not answer", line: "expect:"},
	{name: "two codes exchanged in a table", file: adtFeed, before: `sex: { rows: { M: "1", F: "2"`, then: `sex: { rows: { M: "2", F: "1"`,
		by: "test", under: "an admission is none of the community's business", line: "epr: ["},
	{name: "a number looked for under another type", file: adtFeed, before: "tidy: { at: PID-3(5=NH).1,", then: "tidy: { at: PID-3(5=NHS).1,",
		by: "test", under: "a discharge reaches all three", line: "epr: ["},
	{name: "removed instead of nullified", file: adtFeed, before: "- nullify: [PID-19]", then: "- remove: [PID-19]",
		by: "test", under: "an admission is none of the community's business", line: "epr: ["},
	{name: "a refusal that no longer stops the lane", file: adtSpine, before: "AE: { retry: 5, then: stop }", then: "AE: { retry: 5, then: hold }",
		by: "test", in: adtFeed, under: "an EPR that says AE six times", line: "stopped:"},
	{name: "ten times the patience", file: adtFeed, before: "give_up_after: 24h", then: "give_up_after: 240h",
		by: "test", under: "a LIMS that is down for a day has had its day", line: "expect:"},
	{name: "a test that expects the wrong outcome", file: adtFeed, before: "held: merge with itself", then: "dropped: merge with itself",
		by: "test", under: "a merge of a patient with himself", line: "dropped: merge with itself"},
}

// Every mistake is found by check or by the tests, at the line that the integrator
// has to look at.
func TestSeededFaults(t *testing.T) {
	for _, f := range seededFaults {
		t.Run(f.name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS("../../examples/adt-fanout")); err != nil {
				t.Fatal(err)
			}
			f.apply(t, dir)
			plan, problems := loadProject(dir, "")
			if f.by == "check" {
				f.inProblems(t, dir, problems)
				return
			}
			if plan == nil {
				t.Fatalf("check finds it already; let the table say so:\n%v", problems)
			}
			f.inTests(t, dir, feedtest.Run(plan, feedtest.Options{}))
		})
	}
}

func (f *seeded) apply(t *testing.T, dir string) {
	t.Helper()
	text := read(t, filepath.Join(dir, f.file))
	if n := strings.Count(text, f.before); n != 1 {
		t.Fatalf("%q stands %d times in %s: the example has changed, change the row", f.before, n, f.file)
	}
	if err := os.WriteFile(filepath.Join(dir, f.file), []byte(strings.Replace(text, f.before, f.then, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
}

// place is the line that must be named, in the edited files.
func (f *seeded) place(t *testing.T, dir string) (file string, line int) {
	t.Helper()
	file = f.in
	if file == "" {
		file = f.file
	}
	text := read(t, filepath.Join(dir, file))
	from := strings.Index(text, f.under)
	at := strings.Index(text[max(from, 0):], f.line)
	if from < 0 || at < 0 {
		t.Fatalf("%s has no %q behind %q: the example has changed, change the row", file, f.line, f.under)
	}
	return file, strings.Count(text[:from+at], "\n") + 1
}

func (f *seeded) inProblems(t *testing.T, dir string, problems []conf.Problem) {
	file, line := f.place(t, dir)
	for _, p := range problems {
		if p.File == file && p.Line == line && strings.Contains(p.String(), f.says) {
			return
		}
	}
	t.Errorf("%s:%d: no problem there that says %q, but %v", file, line, f.says, problems)
}

func (f *seeded) inTests(t *testing.T, dir string, r *feedtest.Report) {
	file, line := f.place(t, dir)
	for _, feed := range r.Feeds {
		for _, one := range feed.Tests {
			for _, x := range one.Failures {
				if x.Place.File == file && x.Place.Line == line {
					return
				}
			}
		}
	}
	var out strings.Builder
	if err := r.Print(&out); err != nil {
		t.Fatal(err)
	}
	t.Errorf("%s:%d: no test fails there\n%s", file, line, &out)
}

package feedtest

import (
	"encoding/xml"
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// The JUnit report as continuous integration reads it: a suite for each feed.
// Times are left out, so that equal runs give equal files.
type junitSuites struct {
	XMLName  xml.Name     `xml:"testsuites"`
	Name     string       `xml:"name,attr"`
	Tests    int          `xml:"tests,attr"`
	Failures int          `xml:"failures,attr"`
	Skipped  int          `xml:"skipped,attr"`
	Suites   []junitSuite `xml:"testsuite"`
}

type junitSuite struct {
	Name     string      `xml:"name,attr"`
	Tests    int         `xml:"tests,attr"`
	Failures int         `xml:"failures,attr"`
	Errors   int         `xml:"errors,attr"`
	Skipped  int         `xml:"skipped,attr"`
	Cases    []junitCase `xml:"testcase"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	File    string        `xml:"file,attr"`
	Line    int           `xml:"line,attr"`
	Failure *junitMessage `xml:"failure,omitempty"`
	Skipped *junitMessage `xml:"skipped,omitempty"`
}

type junitMessage struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// WriteJUnit writes the report as JUnit XML.
func (r *Report) WriteJUnit(w io.Writer) error {
	run, failed, skipped := r.Counts()
	out := junitSuites{Name: "spine-engine test", Tests: run + skipped, Failures: failed, Skipped: skipped}
	for i := range r.Feeds {
		out.Suites = append(out.Suites, suiteOf(&r.Feeds[i]))
	}
	if _, err := io.WriteString(w, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(out); err != nil {
		return err
	}
	_, err := io.WriteString(w, "\n")
	return err
}

func suiteOf(f *FeedReport) junitSuite {
	run, failed, skipped := f.Counts()
	s := junitSuite{Name: f.Feed, Tests: run + skipped, Failures: failed, Skipped: skipped}
	for _, t := range f.Tests {
		c := junitCase{Name: t.Name, Class: f.Feed, File: t.Place.File, Line: t.Place.Line}
		switch {
		case t.Skipped != "":
			c.Skipped = &junitMessage{Message: t.Skipped}
		case len(t.Failures) > 0:
			c.Failure = failureOf(t.Failures)
		}
		s.Cases = append(s.Cases, c)
	}
	return s
}

func failureOf(fs []Failure) *junitMessage {
	m := &junitMessage{Message: legal(fs[0].Text)}
	if len(fs) > 1 {
		m.Message += fmt.Sprintf(" (and %d more)", len(fs)-1)
	}
	for _, f := range fs {
		m.Text += legal(fmt.Sprintf("%s: %s\n", f.Place, f.Text))
	}
	return m
}

// legal takes out what XML cannot hold. Values of messages are quoted already.
func legal(s string) string {
	return strings.Map(func(r rune) rune {
		if r == utf8.RuneError || r < ' ' && r != '\n' && r != '\t' {
			return '?'
		}
		return r
	}, s)
}

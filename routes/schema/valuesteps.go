package schema

import (
	"github.com/spine-engine/spine-engine/transforms"
	"github.com/spine-engine/spine-engine/transforms/forms"
	"github.com/spine-engine/spine-engine/transforms/template"
)

// Tidy is the step.
type Tidy struct {
	_      struct{}   `what:"tidy step" title:"tidy" doc:"Brings values into their usual form."`
	At     []Selector `key:"at" doc:"one place or several" missing:"the step names no place"`
	As     TidyForm   `key:"as" doc:"the form" missing:"is no form"`
	IfBad  BadValue   `key:"if_bad" def:"hold" doc:"a value that has not the form"`
	IfNone SkipOrHold `key:"if_none" def:"skip" doc:"a place that is not there"`
}

// Date is the step.
type Date struct {
	_     struct{}      `what:"date step" title:"date" doc:"Reads dates in one form and writes them in another. Says at least one thing that changes."`
	At    []Selector    `key:"at" doc:"one place or several" missing:"the step names no place"`
	From  Text          `key:"from" def:"hl7" doc:"the form they have: hl7, iso, uk or a layout such as DD/MM/YYYY"`
	Zone  Text          `key:"zone" doc:"the time zone they are written in: Europe/London"`
	Shift Value         `key:"shift" doc:"days to move by"`
	As    DatePrecision `key:"as" doc:"cut to that precision"`
	To    Text          `key:"to" def:"hl7" doc:"the form they get"`
	IfBad BadValue      `key:"if_bad" def:"hold" doc:"a value that is no such date"`
}

// Pad is the step.
type Pad struct {
	_       struct{}   `what:"pad step" title:"pad" doc:"Fills values to a length."`
	At      []Selector `key:"at" doc:"one place or several" missing:"the step names no place"`
	To      Int        `key:"to" range:"1 1000" doc:"the length in characters" missing:"a length is 1 to 1000 characters"`
	With    Text       `key:"with" def:"0 at the left, a blank at the right" doc:"one character"`
	Side    Word       `key:"side" one:"left right" def:"left" doc:"where it is filled"`
	TooLong Word       `key:"too_long" one:"hold keep cut" def:"hold" doc:"a value that is longer"`
}

// Replace is the step.
type Replace struct {
	_       struct{}   `what:"replace step" title:"replace" doc:"Replaces text within values." exactly:"text pattern"`
	At      []Selector `key:"at" doc:"one place or several" missing:"the step names no place"`
	Text    Text       `key:"text" doc:"what is replaced, as it stands"`
	Pattern Pattern    `key:"pattern" doc:"or what is replaced by a pattern"`
	By      Text       `key:"by" def:"nothing" doc:"what takes its place; $1 is what the pattern's first group found"`
	All     Bool       `key:"all" def:"false" doc:"every occurrence, not only the first"`
}

// Template is the step.
type Template struct {
	_          struct{}        `what:"template step" title:"template" doc:"A new document, which is msg from here on."`
	File       File            `key:"file" doc:"the template" missing:"the template's file is not named"`
	Format     TemplateFormat  `key:"format" def:"as the file's name ends" doc:"what it makes"`
	Namespaces map[Prefix]Text `key:"namespaces" doc:"of XML: the prefixes that selectors use from here on"`
}

// Positional is a word.
type Positional string

func (Positional) scalar() Scalar { return Scalar{Words: []string{"positional"}} }

// TidyForm is a word.
type TidyForm string

func (TidyForm) scalar() Scalar { return Scalar{Words: transforms.TidyForms()} }

// BadValue is a word.
type BadValue string

func (BadValue) scalar() Scalar { return Scalar{Words: transforms.BadNames()} }

// SkipOrHold is a word.
type SkipOrHold string

func (SkipOrHold) scalar() Scalar { return Scalar{Words: []string{"skip", "hold"}} }

// DatePrecision is a word.
type DatePrecision string

func (DatePrecision) scalar() Scalar {
	return Scalar{Words: forms.PrecisionNames()[:forms.Second]}
}

// TemplateFormat is a word.
type TemplateFormat string

func (TemplateFormat) scalar() Scalar { return Scalar{Words: template.FormatNames()} }

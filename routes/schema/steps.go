package schema

import "github.com/spine-engine/spine-engine/transforms"

// Step is one thing to do. What the steps do is said by transforms.Vocabulary; a
// test holds the fields to it.
type Step struct {
	_        struct{}                  `title:"step" doc:"One key names the step. The page of [steps](steps.md) shows each with an example."`
	Set      map[Selector]SetValue     `key:"set"`
	Copy     Copy                      `key:"copy"`
	Move     Move                      `key:"move"`
	Remove   []Selector                `key:"remove"`
	Keep     []Selector                `key:"keep"`
	Nullify  []Selector                `key:"nullify"`
	Default  map[Selector]SetValue     `key:"default"`
	Map      Map                       `key:"map"`
	When     When                      `key:"when"`
	Hold     Reason                    `key:"hold"`
	Drop     Reason                    `key:"drop"`
	Reject   Reject                    `key:"reject"`
	Tidy     Tidy                      `key:"tidy"`
	Date     Date                      `key:"date"`
	Pad      Pad                       `key:"pad"`
	Replace  Replace                   `key:"replace"`
	Insert   Insert                    `key:"insert"`
	Template Template                  `key:"template"`
	ToXML    Positional                `key:"to_xml"`
	FromXML  Positional                `key:"from_xml"`
	Each     Each                      `key:"each"`
	Use      Name                      `key:"use"`
	Let      map[Identifier]Expression `key:"let"`
	IfNone   IfNone                    `key:"if_none" doc:"beside set, nullify and default: what becomes of a condition that matches nothing" def:"hold"`
}

func (Step) rules() []Condition {
	var names, beside []string
	for _, w := range transforms.Vocabulary() {
		if w.Ready {
			names = append(names, w.Name)
		}
		if w.IfNoneBeside {
			beside = append(beside, w.Name)
		}
	}
	return []Condition{{Exactly: names}, {If: has("if_none"), AnyOf: beside}, {NotEmpty: "set"}, {NotEmpty: "default"}}
}

// IfNone is a word.
type IfNone string

func (IfNone) scalar() Scalar { return Scalar{Words: []string{"hold", "skip", "create"}} }

// SetValue is what set writes.
type SetValue struct{}

func (SetValue) forms() []any { return []any{Value(""), SetMapping{}} }

// SetMapping is raw, copy or parts.
type SetMapping struct {
	_ struct{} `title:"value of set" doc:"Parts by number, ER7 as it is, or what stands elsewhere; otherwise a value is a text, or an expression after = and a blank."`
}

func (SetMapping) picks() []any { return []any{SetRaw{}, SetCopy{}, map[PartNumber]SetValue{}} }

// SetRaw writes ER7.
type SetRaw struct {
	_   struct{} `what:"set step" by:"raw" refuses:"copy"`
	Raw Value    `key:"raw" doc:"ER7 as it is: delimiters in it are delimiters"`
}

// SetCopy writes what stands elsewhere.
type SetCopy struct {
	_    struct{} `what:"set step" by:"copy" refuses:"raw"`
	Copy Selector `key:"copy" doc:"what is copied, with its parts, and null as null"`
}

// Copy is the step.
type Copy struct {
	_      struct{} `what:"copy step" title:"copy" doc:"Copies a place to another."`
	From   Selector `key:"from" doc:"one place" missing:"the copy step has no from"`
	To     Selector `key:"to" doc:"where to" missing:"the copy step has no to"`
	IfNone IfNone   `key:"if_none" def:"hold" doc:"a condition of to that matches nothing"`
}

// Move is the step.
type Move struct {
	_      struct{} `what:"move step" title:"move" doc:"Copies, then removes the source."`
	From   Selector `key:"from" doc:"one place" missing:"the move step has no from"`
	To     Selector `key:"to" doc:"where to" missing:"the move step has no to"`
	IfNone IfNone   `key:"if_none" def:"hold" doc:"a condition of to that matches nothing"`
}

// Map is the step.
type Map struct {
	_        struct{}          `what:"map step" title:"map" doc:"Recodes a value by a table. With several columns it needs from or put."`
	At       Selector          `key:"at" doc:"the code, or a list of them" missing:"the map step has no at"`
	Table    Name              `key:"table" doc:"one of the feed's tables" missing:"the map step has no table"`
	From     Text              `key:"from" doc:"the column whose text takes the code's place"`
	Put      map[Selector]Text `key:"put" doc:"other places, each with its column"`
	Unmapped Unmapped          `key:"unmapped" doc:"what becomes of a code that the table lacks" missing:"the map step has no unmapped"`
	IfNone   IfNone            `key:"if_none" def:"hold" doc:"a condition that matches nothing"`
}

// Unmapped is what becomes of a code that no table has.
type Unmapped struct{}

func (Unmapped) forms() []any { return []any{KeepHoldReject(""), UnmappedDefault{}} }

// KeepHoldReject is a word.
type KeepHoldReject string

func (KeepHoldReject) scalar() Scalar { return Scalar{Words: []string{"keep", "hold", "reject"}} }

// UnmappedDefault writes another code.
type UnmappedDefault struct {
	_       struct{} `what:"unmapped" title:"unmapped" doc:"A code in the place of those that the table lacks."`
	Default Text     `key:"default" doc:"the code" missing:"what becomes of a code that the table lacks is not declared"`
}

// When is the step.
type When struct {
	_  struct{}   `what:"when step" title:"when" doc:"Steps that are done where a condition holds."`
	If Expression `key:"if" doc:"the condition" missing:"a when step has an if and a do"`
	Do []Step     `key:"do" doc:"the steps" missing:"a when step has an if and a do"`
}

// Each is the step.
type Each struct {
	_     struct{}   `what:"each step" title:"each" doc:"Items are fixed when the step begins. Within do, selectors begin with the item's name: obx-5, ord/OBR-4.1." exactly:"in group"`
	In    Selector   `key:"in" doc:"a list"`
	Group []Segment  `key:"group" doc:"groups that begin with one of these segments"`
	As    Identifier `key:"as" doc:"the item's name" missing:"each names its item (as) and its steps (do)"`
	Do    []Step     `key:"do" doc:"the steps" missing:"each names its item (as) and its steps (do)"`
}

// Insert is the step.
type Insert struct {
	_       struct{}                `what:"insert step" title:"insert" doc:"A new segment." exactly:"before after at_end_of"`
	Segment Segment                 `key:"segment" doc:"its name" missing:"insert needs the name of a segment"`
	Before  Selector                `key:"before" doc:"before that"`
	After   Selector                `key:"after" doc:"behind that"`
	AtEndOf Selector                `key:"at_end_of" doc:"at the end of that group or item"`
	Set     map[PartNumber]SetValue `key:"set" doc:"its fields by number"`
	IfNone  IfNone                  `key:"if_none" def:"hold" doc:"a place that is not there"`
}

package transforms

// Word is one step of the feed language, as the reference shows it.
type Word struct {
	Name    string
	Ready   bool // this version has it
	Does    string
	Shape   string // how it is written
	Cannot  string // what happens when it cannot do its work
	Example string
	// IfNoneBeside: if_none stands beside the step's key, not within it.
	IfNoneBeside bool
}

const ifNone = "a condition that matches nothing: if_none hold (the default), skip or create"

// Vocabulary is every step there is, in the order of the reference.
func Vocabulary() []Word {
	return []Word{
		{Name: "set", Ready: true, IfNoneBeside: true,
			Does:    "writes values; all are read from the message as it was before the step",
			Shape:   "set: { SELECTOR: text | '= expression' | { 1: part, 2: part } | { raw: ER7 } | { copy: SELECTOR }, ... }",
			Cannot:  "characters the message's character set lacks, or a gap before the target: held; " + ifNone,
			Example: `set: { MSH-3: SPINE, MSH-9: { 1: ADT, 2: A31 }, PV1-19.1: '= msg["PV1-19.1"].trim()' }`},
		{Name: "copy", Ready: true,
			Does:    "copies a node as it stands, repetitions and null included; an absent source changes nothing",
			Shape:   "copy: { from: SELECTOR, to: SELECTOR }",
			Cannot:  "delimiters that do not fit the target's level: held; " + ifNone,
			Example: "copy: { from: MRG-1(5=PI), to: MRG-1 }"},
		{Name: "move", Ready: true,
			Does:    "copies a node and then removes the source",
			Shape:   "move: { from: SELECTOR, to: SELECTOR }",
			Cannot:  "as copy",
			Example: "move: { from: PID-19, to: ZPI-1 }"},
		{Name: "remove", Ready: true,
			Does:    "takes out segments, or empties fields, repetitions and components; what is not there needs no removing",
			Shape:   "remove: [SELECTOR, ...]",
			Cannot:  "MSH cannot be removed",
			Example: `remove: ["NK1(*)", PID-19]`},
		{Name: "keep", Ready: true,
			Does:    "removes everything but what is listed: an allow-list. A kept field keeps its place. MSH stays whole, unless fields of it are listed: then these stay, and MSH-9, 10, 11, 12 and 18",
			Shape:   "keep: [SELECTOR, ...]",
			Cannot:  "nothing: what is not there is not kept",
			Example: `keep: [MSH-7, PID-7, PID-8, OBR-4, "OBX(2=NM)(*)"]`},
		{Name: "nullify", Ready: true, IfNoneBeside: true,
			Does:    `writes HL7 null (""): the receiver is asked to delete its value`,
			Shape:   "nullify: [SELECTOR, ...]",
			Cannot:  ifNone,
			Example: "nullify: [PID-19]"},
		{Name: "default", Ready: true, IfNoneBeside: true,
			Does:    "sets what is absent or empty; null counts as a value",
			Shape:   "default: { SELECTOR: value, ... }",
			Cannot:  "as set",
			Example: `default: { PV1-2: I }`},
		{Name: "map", Ready: true,
			Does:    "recodes a value by a table; absent, empty and null values are left alone",
			Shape:   "map: { at: SELECTOR, table: NAME, from: COLUMN, put: { SELECTOR: COLUMN }, unmapped: keep | hold | reject | { default: text } }",
			Cannot:  "a code the table lacks: as unmapped says",
			Example: "map: { at: PV1-10.1, table: specialty, from: code, put: { PV1-10.2: name }, unmapped: hold }"},
		{Name: "when", Ready: true,
			Does:    "does its steps where a condition holds",
			Shape:   "when: { if: expression, do: [step, ...] }",
			Cannot:  "an expression that fails: held",
			Example: `when: { if: msg.event == "A40", do: [ { nullify: [PID-18] } ] }`},
		{Name: "hold", Ready: true, Does: "sets the message aside for a person", Shape: "hold: reason", Example: `hold: "needs a look"`},
		{Name: "drop", Ready: true, Does: "ends the work on the message; it is kept with the reason", Shape: "drop: reason", Example: `drop: "nobody wants it"`},
		{Name: "reject", Ready: true, Does: "refuses the message and tells the sender",
			Shape: "reject: { ack: AE | AR, code: table 0357, at: SELECTOR, text: ... }", Example: `reject: { ack: AE, code: "101", at: PID-3, text: "no hospital number" }`},
		{Name: "tidy", Ready: true,
			Does:    "brings values into their usual form; absent, empty and null are left alone",
			Shape:   "tidy: { at: SELECTOR, as: nhs_number | postcode | ods_code | phone | trim | spaces | upper | lower, if_bad: hold | keep | empty, if_none: skip | hold }",
			Cannot:  "a value that has not the form: as if_bad says (default hold)",
			Example: `tidy: { at: PID-3(5=NH).1, as: nhs_number, if_none: skip }`},
		{Name: "date", Ready: true,
			Does:    "reads dates in one form and writes them in another, in a zone, moved by days, cut to a precision; absent, empty and null are left alone",
			Shape:   "date: { at: SELECTOR, from: hl7 | iso | uk | LAYOUT, zone: ZONE, shift: '= days', as: year | month | day | hour | minute | second, to: hl7 | iso | uk | LAYOUT, if_bad: hold | keep | empty }",
			Cannot:  "a value that is no date of the form, or has less than to or shift asks for: as if_bad says (default hold)",
			Example: `date: { at: PID-7, as: day }`},
		{Name: "name", Does: "splits or joins parts of names"},
		{Name: "pad", Ready: true,
			Does:    "fills values to a length; absent, empty and null are left alone",
			Shape:   `pad: { at: SELECTOR, to: 8, with: "0", side: left | right, too_long: hold | keep | cut }`,
			Cannot:  "a longer value: as too_long says (default hold)",
			Example: `pad: { at: PID-3(5=PI).1, to: 8, with: "0" }`},
		{Name: "replace", Ready: true,
			Does:    "replaces text within values, as it stands or by a pattern (RE2); absent, empty and null are left alone",
			Shape:   "replace: { at: SELECTOR, text: TEXT | pattern: RE2, by: TEXT, all: true }",
			Cannot:  "a result that is too long: held",
			Example: `replace: { at: PID-13.1, text: " ext ", by: "x" }`},
		{Name: "split_field", Does: "splits a value into parts"},
		{Name: "join_fields", Does: "joins values"},
		{Name: "insert", Ready: true,
			Does:    "inserts a segment; values are read from the message as it was before the step",
			Shape:   "insert: { segment: TQ1, after | before | at_end_of: SELECTOR, set: { 1: value, 7: { 4: value } } }",
			Cannot:  "a place that is not there: if_none hold (the default) or skip",
			Example: `insert: { segment: ZPI, after: PID, set: { 1: "1", 2: '= msg["PV1-3.1"]' } }`},
		{Name: "sort_segments", Does: "orders segments"},
		{Name: "redact", Does: "replaces values by markers"},
		{Name: "template", Ready: true,
			Does:    "makes a new document from a template ({{ expression }}, {{each SELECTOR as x}}, {{if expression}}, {{end}}); it is msg from here on",
			Shape:   "template: { file: templates/NAME, format: hl7 | xml | json | text, namespaces: { PREFIX: URI } }",
			Cannot:  "an expression that fails, or a result that cannot be read as its format: held",
			Example: "template: { file: templates/note.hl7 }"},
		{Name: "to_xml", Ready: true,
			Does:    "turns the message into XML by position: PID-3.1 is /*/PID/PID.3/PID.3.1; it is msg from here on",
			Shape:   "to_xml: positional",
			Cannot:  "nothing: every message has this form",
			Example: `to_xml: positional`},
		{Name: "from_xml", Ready: true,
			Does:    "turns XML of that form into a message; it is msg from here on",
			Shape:   "from_xml: positional",
			Cannot:  "XML that is not of that form: held",
			Example: `from_xml: positional`},
		{Name: "each", Ready: true,
			Does:    "does its steps once for each item of a list or group, which are fixed when the step begins; selectors and expressions name the item, and NAME.index its number",
			Shape:   "each: { in: LIST | group: [ORC, OBR], as: NAME, do: [step, ...] }",
			Cannot:  "as the steps within it; no item: nothing is done",
			Example: `each: { in: "OBX(*)", as: obx, do: [ { set: { obx-1: "= string(obx.index)" } } ] }`},
		{Name: "use", Ready: true,
			Does:    "does the steps that stand under a name in steps: of this feed or of spine.yaml",
			Shape:   "use: NAME",
			Cannot:  "as the steps themselves",
			Example: `use: as-a08`},
		{Name: "let", Ready: true,
			Does:    "names values of the message as it is now, read as vars.NAME by what follows in this list of steps",
			Shape:   "let: { NAME: expression, ... }",
			Cannot:  "an expression that fails: held",
			Example: `let: { note: '= msg.list("OBX(2=TX)(*)-5").join(" ")' }`},
	}
}

// Names lists the steps this version has.
func Names() []string {
	var out []string
	for _, w := range Vocabulary() {
		if w.Ready {
			out = append(out, w.Name)
		}
	}
	return out
}

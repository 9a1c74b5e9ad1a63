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
		{Name: "keep", Does: "removes everything but what is listed", Shape: "keep: [SELECTOR, ...]"},
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
		{Name: "tidy", Does: "brings a value into its usual form"},
		{Name: "date", Does: "reformats or shifts dates"},
		{Name: "name", Does: "splits or joins parts of names"},
		{Name: "pad", Does: "fills a text to a length"},
		{Name: "replace", Does: "replaces text within values"},
		{Name: "split_field", Does: "splits a value into parts"},
		{Name: "join_fields", Does: "joins values"},
		{Name: "insert", Does: "inserts a segment"},
		{Name: "sort_segments", Does: "orders segments"},
		{Name: "redact", Does: "replaces values by markers"},
		{Name: "template", Does: "makes a new document from a template"},
		{Name: "to_xml", Does: "turns the message into XML"},
		{Name: "from_xml", Does: "turns XML into a message"},
		{Name: "each", Does: "does its steps for each item of a list or group"},
		{Name: "use", Does: "does shared steps"},
		{Name: "let", Does: "names a value from here on"},
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

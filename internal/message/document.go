package message

import "errors"

// Presence tells apart what messages tell apart.
type Presence uint8

// The presences of a node.
const (
	Absent  Presence = iota // no such segment, field, element
	Empty                   // there, without a value
	Null                    // HL7 "": the receiver is asked to delete its value
	Present                 // a value
)

func (p Presence) String() string { return [...]string{"absent", "empty", "null", "present"}[p&3] }

// ErrNoMatch is what Set, SetRaw, SetNull and Copy answer (wrapped) when a
// condition of the selector matches nothing, so that there is no place to write
// to and none that could be made without guessing.
var ErrNoMatch = errors.New("nothing matches the selector")

// Selector is a compiled address within documents of one format, such as
// PID-3(5=NH).1. It is immutable and shared by goroutines. String gives its
// canonical text, which is configuration, never content.
type Selector interface {
	String() string
	IsList() bool       // it may match more than one node
	HasCondition() bool // it selects by value
}

// Doc is a parsed message: what transform steps and expressions see of it,
// whatever its format. A selector of another format is an error of the caller,
// answered as absent when reading and by an error when writing.
//
// Errors name selectors and sizes, never values. Reading is safe from many
// goroutines as long as nobody edits; editing is not.
type Doc interface {
	Format() Format
	// Type, Event and ControlID are MSH-9.1, MSH-9.2 and MSH-10 (as its bytes
	// stand) of the document as it is now; "" in formats that have none.
	Type() string
	Event() string
	ControlID() string
	// Text is the value of the first match: "" for absent, empty and null alike.
	Text(s Selector) string
	// Presence of the first match.
	Presence(s Selector) Presence
	// List gives the texts of all that is listed, "" where it is null or, in a
	// listed segment or repetition, nothing stands.
	List(s Selector) []string
	// Expand gives one selector for each match of a list, in order; the selector
	// itself when it is no list. ok is false when this kind of list cannot be
	// walked one by one.
	Expand(s Selector) (each []Selector, ok bool)
	// Set writes a text, escaped as the format needs, to every match.
	Set(s Selector, text string) error
	// SetRaw writes the format's own notation (ER7: "ADT^A31").
	SetRaw(s Selector, raw string) error
	// SetNull writes the format's null; ErrUnsupported where it has none.
	SetNull(s Selector) error
	// Remove takes out what matches and says how many nodes those were.
	Remove(s Selector) (int, error)
	// Copy writes what from selects in src to to, raw and null included. An
	// absent source leaves the target empty.
	Copy(src Doc, from, to Selector) error
	// Clone gives a copy whose edits never show in this document.
	Clone() Doc
}

// Item is a node, or a group of segments, that a walk has fixed. It stays the
// same one while the document is edited elsewhere; once removed it selects nothing.
type Item any

// Spot places a new segment relative to what a selector selects.
type Spot uint8

// The spots.
const (
	Before  Spot = iota
	After        // directly behind it
	AtEndOf      // behind the group it opens, or the group an item is
)

// Walker is a Doc whose parts can be walked, cut and chosen from. Selectors may
// be relative to a slot (they are compiled so): they read and write below the
// item the slot is bound to, and select nothing when it has none.
type Walker interface {
	Doc
	// Items fixes the nodes that s selects now, in order.
	Items(s Selector) ([]Item, error)
	// Groups fixes the groups that begin with one of the segments named in starts
	// ([ORC, OBR]: a group begins at an ORC, or at an OBR without one of its
	// own). ErrUnsupported where a format has no groups.
	Groups(starts []string) ([]Item, error)
	// Bind gives a slot (from 0) an item and its number, from 1. A nil item frees
	// it. Clones keep the bindings.
	Bind(slot int, it Item, index int)
	// Index is the number of the item bound to the slot, 0 when there is none.
	Index(slot int) int
	// Cut makes one document for each item: what keep selects, and the item, in
	// the order of this document. The header of the format always stays.
	Cut(items []Item, keep []Selector) ([]Doc, error)
	// Keep removes everything that none of the selectors selects. A selector of a
	// field keeps that field of its segment and empties the others. The header of
	// the format stays, so that the message remains one: whole, or, where fields of
	// it are listed, these and what a message needs.
	Keep(keep []Selector) error
	// Insert puts an empty segment at a spot of what at selects. ErrNoMatch when
	// at selects nothing; ErrUnsupported where a format has no segments.
	Insert(segment string, where Spot, at Selector) (Item, error)
}

// ErrUnsupported (wrapped) says that a format has no such thing: null in XML,
// groups in XML.
var ErrUnsupported = errors.New("not possible in this format")

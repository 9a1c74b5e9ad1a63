// Package hl7 reads, edits and writes HL7 v2 messages in their ER7 ("pipes and
// hats") form, and speaks what surrounds them: acknowledgements, batch files
// and MLLP framing.
//
// # Basics
//
// [Parse] keeps the caller's bytes and notes only where segments begin and end:
//
//	MSH|^~\&|PAS|RXX|...⏎PID|1||111^^^RXX^PI~...⏎OBX|1|ED|...25 MB...⏎
//	^off              ^end^next/off
//
// Fields, repetitions, components and subcomponents are found when a [Path]
// asks for them, so reading never changes a Message and several goroutines may
// read one. An edited segment gets a buffer of its own and all other segments
// stay slices of the original: [Message.Bytes] of an unedited message is the
// very slice that was parsed, and [Message.Spans] tells how an edited one is
// made of pieces of it.
//
// Text that goes in and out is UTF-8 without escapes. Character sets and escape
// sequences are handled at the leaf that is read or set.
//
// # Parts that stay the same
//
// A path is read anew each time: once OBX(#1) is removed, OBX(#2) is another
// segment. A [Handle] names one segment for good, and an [Anchor] one segment,
// group of segments or part of a segment. [Message.Anchors] and
// [Message.AnchorGroups] fix them, and [Relative.In] makes paths below them:
//
//	for _, a := range orders {
//		p, err := below.In(a) // below was parsed from ord/OBX(*)-5
//
// # Caveats
//
//   - Parse borrows: do not change the bytes while a Message or one of its clones lives.
//   - A Message is edited by one goroutine at a time. Clones are independent.
//   - Absent, empty and null ("") are three states; see [Message.State].
//   - Segments are kept flat, in order, whatever their ids: cardinality and
//     structure are never enforced while parsing.
//   - Line ends are kept as they came. Before a message that came from a file
//     is sent by MLLP, call [Message.Normalize].
//
// # What it never does
//
// It reads no clock, opens no file or socket, logs nothing, starts no
// goroutine. Its errors and the printed forms of its types hold offsets, sizes
// and selectors, never field values.
//
// Any package may import it. It imports the standard library and
// golang.org/x/text only.
package hl7

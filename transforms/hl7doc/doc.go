// Package hl7doc shows an hl7.Message as a message.Doc and message.Walker, so
// that steps and expressions need not know the format they work on.
//
// Compile reads selectors. One that begins with a segment id is a path into the
// message; one that begins with a lower-case name is relative to the item that a
// slot is bound to:
//
//	PID-3(5=NH).1      a path
//	obx-5.1            item: an OBX that each walks
//	id.4.2             item: a repetition of PID-3
//	ord/OBX(*)-5       item: a group of segments, or the group that a segment opens
//	obx>NTE(*)-3       item: an OBX; the run of NTE directly behind it
//	ord                the item itself, to copy, remove, keep, or insert beside
//
// An item stays the same one while the document is edited elsewhere. When it was
// removed, also by a step of its own loop, selectors below it read nothing and
// have message.ErrNoMatch where they should write. A repetition is known by its
// number: removing it makes it empty, and it stays the item.
//
// The package adds nothing of its own to HL7: the rules are those of package hl7.
// It never prints a value. routes and transforms import it.
package hl7doc

// Package disk keeps the journal on one disk: a log that is the truth, and a
// view of it in bbolt that answers questions.
//
//	<dir>/lock                       held while the store is open; says by whom
//	<dir>/log/<base, 20 digits>.seg  the log, sliced by size and age
//	<dir>/view/view.db               queues, states, indexes, totals (bbolt)
//	<dir>/view/origins-<day>.db      origins of one day, dropped whole (bbolt)
//	<dir>/bodies/<day>/<ulid>        bodies that are not kept in memory
//	<dir>/plans/<hash>.zip, active   the projects that were activated
//	<dir>/set-aside/                 damaged bytes, kept for a person
//
// # The log
//
// A record's sequence (Seq) is its offset in the log. A segment is named by the
// offset of its first byte, so a place is found by a search over file names and
// one read. Offsets are never used twice: where bytes were damaged at the end,
// the next segment starts behind them.
//
//	segment  = "SPINELOG" version u8, 7 zero bytes, base u64, created u64 (ns), crc u32, 4 zero bytes | frames
//
//	frame    = offset 0      4         5      6       7     8      16       20     24
//	           | F5 53 45 4A | version | type | codec | key | seq  | length | crc  | payload ... |
//	             magic         1         1-5    0       0     u64    u32      u32
//
// Zeros stand behind the last record of the segment that is written, so that a
// sync need not wait for the file system's own journal.
//
// All numbers are little-endian. The CRC32C covers the payload and then the 20
// bytes before it: it can be begun before the sequence is known, and a frame
// copied to another place (or lying inside a message) is none. codec and key
// leave room for compression and encryption.
//
//	accepted = head length u32, head crc u32 | head | inline bytes of the bodies
//	finished = count, then copies with their new states
//	noted    = the same, for attempts
//	action   = who did what to which message or copy | accepted, when it made copies
//	switch   = what is paused or goes on, until when, and by whom
//
// The head says everything but the bytes, and has its own CRC, so that a list
// reads no bodies. A copy whose body is the message's own, or pieces of it, is a
// few bytes in the head.
//
// # Durability
//
// One goroutine writes. It takes whatever has queued up while its last sync ran,
// writes that at once, syncs once, tells the observer, and lets all callers go.
// When a write or sync fails, nothing is known of the disk any more: the store
// fails for good and says so to everyone; no sync is tried again.
//
// # The view
//
// What a record changes is kept in memory (the delta) and written to bbolt in
// one transaction every so many records or milliseconds, with the offset it has
// reached; a copy that came and went meanwhile never touches the queues there.
// At start the log is read from that offset. A view that is lost, damaged or of
// another format is made again from the log. No acknowledgement depends on it.
//
// # Caveats
//
// Nothing is ever deleted yet: retention will drop whole segments. The package
// needs Linux (fdatasync, flock, statfs). bbolt is used nowhere else.
//
// What was spooled and neither stored nor given back (Unspool) stays until the
// next start, which removes it.
//
// Only cmd, the engine's start and tests import this package; all others ask
// for the interfaces of package store.
package disk

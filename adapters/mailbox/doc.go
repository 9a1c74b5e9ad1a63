// Package mailbox reads messages from mailbox directories and writes them into
// others: the adapter kind "mailbox".
//
// A source takes a file only when its ready rule says that the sender has
// finished, moves it into a private folder before it reads a byte, and hands its
// messages on in order. The id given at that move is the stable part of every
// message's Origin, so a crash between storing and archiving repeats nothing.
//
//	<dir>/x.hl7                              as the sender left it
//	<dir>/.spine/claimed/<claim>.<n>~x.hl7   in hand; n = times its processing was begun
//	<dir>/.spine/archive/<day>/<claim>~x.hl7 all accepted
//	<dir>/.spine/quarantine/<claim>~x.hl7    refused, with <...>.reason beside it
//
// A destination shows a file only when it is whole and durable, and exactly once
// across process crashes; SendBatch says how.
//
//	<dir>/.spine-out/<batch>.<n>.tmp         written, not yet to be seen
//	<dir>/.spine-out/<batch>.manifest        which copies the batch shows, under which names
//	<dir>/x.hl7                              the consumer's from here on
//
// The package never follows a link, never opens what is not a regular file, never
// overwrites a file, and never logs file names or content. It knows no rules and
// no store. Only cmd, which lists the kinds, imports it.
//
// Caveats: the engine never empties archive and quarantine. The private folders must lie on the file system of the mailbox.
// Where a file system cannot rename without overwriting (NFS), a destination
// links and unlinks instead; a kill between the two, with a consumer that takes
// the file in that moment, repeats that one file.
package mailbox

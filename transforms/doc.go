// Package transforms holds the steps of the feed language: small values that
// edit a message.Doc. Each step states what it does when it cannot do its work;
// none fails silently.
//
// Steps are pure: no I/O, no clock, no randomness, no logging. They are read-only
// after they were made and serve many goroutines; what changes is in the Input.
// Their errors name selectors, tables and counts, never values of the message.
//
// routes compiles feed files into steps; nothing above routes imports this package.
package transforms

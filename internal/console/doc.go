// Package console is the admin HTTP API and its client. The engine serves it on
// a Unix socket that only its own user can open; the metrics and health pages of
// it are also served on a loopback listener. The command line always speaks
// HTTP: over the socket while an engine runs, to the same handler in its own
// process when none does, so that there is one way to do each thing.
//
// Message content leaves through a message's body, its explanation (rows of
// tables, texts of errors) and the keys of paused lanes only; never through
// another list, an error or a log. cmd imports the package; it asks the engine
// and the store through small interfaces.
package console

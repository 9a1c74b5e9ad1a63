// Package adapters is the contract between the engine and the wires: what a
// source must do before it may acknowledge, and what a destination may answer.
//
// One rule carries the promise of the engine: Accept returning nil means that
// the message is durable, and only then may the source tell its sender so.
//
// The package holds no wire of its own; each lives in a package below it
// (adapters/mllp, adapters/mailbox, ...), imports this one, and never imports
// routes, store or the engine. routes and the engine import this package.
package adapters

// Package store is the contract of the journal: what it means that a message is
// stored, and what a person may do with stored ones. Backends live below it
// (store/disk), and all of them pass store/storetest.
//
// The promise: Append has returned nil = the message, its outcome and all its
// copies survive a power cut. What Finish has returned for is never sent again
// by the engine.
//
// A store never decides, never retries and never knows an adapter or a rule. The
// engine and the console import this package.
package store

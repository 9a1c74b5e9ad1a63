// Package feedtest carries out the tests that stand beside feeds.
//
// A test runs the code that runs live: the plan's Decide for every message, and
// the scheduler of internal/lanes for every queue. Only the clock and the wires
// are played. Time is simulated: it jumps from event to event, so that a week of
// retries takes a millisecond. A peer follows its script.
//
//	sends ---> Decide ---> copies ---> lanes.Queue ---> scripted peer
//	   ^                                  ^    |              |
//	   +------------- clock --------------+    +--- record <--+
//
// The same project gives the same report, byte for byte: message ids count up,
// the jitter of retries is drawn from a seed made of the names of test and
// queue, and events of one instant have a fixed order (answers, then arrivals,
// then what the clock made due; queues in the order of the project).
//
// The package opens nothing, reads no clock and writes no file. What it reports
// shows values: the messages of tests are the integrator's own, and a
// difference that hides what differs is no help. It must never be pointed at
// stored messages.
//
// The command line imports it.
package feedtest

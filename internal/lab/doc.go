// Command lab is the acceptance laboratory: it builds the real spine-engine
// binary, runs it as a process on projects it writes itself, attacks and measures
// it from outside, and says PASS or FAIL line by line.
//
//	go run ./internal/lab kill -rounds 20 -messages 20000
//	go run ./internal/lab all -out report.md
//
// What it believes comes from its own ledger: what its senders sent and got
// acknowledged, and what its consumer and its peers received. The engine's own
// counts are only compared with that. It speaks MLLP through internal/peer and
// hl7, and HTTP on the engine's socket; it imports nothing else of the project, so
// that a fault of the engine cannot hide in code that both share. Only the part of
// the experiment decide that times the plan itself looks inside; it stands among
// the tests, and is run from there as a process.
//
// It never touches a store or a mailbox other than those in its own temporary
// folder, and removes them, unless -keep says otherwise. The power cuts, the
// memory group and the names that move need root; without it those lines say what
// was skipped. Nobody imports it.
package main

// Package peer is the other side of an MLLP connection, for people and tests: a
// client that sends messages and shows the answers (the send command), and a
// server that takes messages and answers as it is told (the demo, the
// laboratory). Both are plain and fast, and neither shares code with
// adapters/mllp, so that each can be trusted as the other's witness.
//
// It never stores anything and never retries. cmd and internal/lab import it.
package peer

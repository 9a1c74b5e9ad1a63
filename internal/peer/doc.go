// Package peer is the other side of a wire, for people and tests. Over MLLP: a
// client that sends messages and shows the answers, and a server that takes them and
// answers as it is told or as its script says (late, to the wrong message, never).
// Over HTTP the same two. In a mailbox: one who drops files and one who takes them.
// All are plain, and share no code with the adapters, so that each can be trusted
// as the other's witness.
//
// It keeps no journal and never sends anything twice by itself. cmd and internal/lab
// import it.
package peer

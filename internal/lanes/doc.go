// Package lanes schedules one queue: which copies are sent when, in which order,
// and what an answer means for the copy and for those behind it.
//
// A queue is what waits for one destination. It consists of lanes, one per key
// of order; a strict queue has the one lane "". Within a lane copies leave in
// order of (Pos, Key), one Send at a time; lanes do not wait for each other.
//
//	Added, Loaded, Done, Removed, Pause ... ---> Queue ---> Next: Finish, Note, Send, Load
//	        events, each with the time           pure       actions, and when to ask again
//
// A Queue is a state machine. It starts no goroutine, reads no clock, does no
// I/O and logs nothing; its only randomness is the jitter of its retries, drawn
// from the seed given to New. The same calls give the same actions, so a live
// engine, a feed's test and a simulation run the same code, and a failure
// replays from its seed. It is not safe for concurrent use: one loop owns it.
//
// Memory is bounded (Policy.MaxLoaded, Policy.MaxBytes). A lane holds the front
// of its work and remembers how far the rest on disk reaches; Load asks for the
// next page. A lane that waits keeps a few copies, and none when others need
// the room. A lane that keeps up streams through memory and is never loaded.
//
//	left            in memory            on disk only
//	--------------|======sent======------|---------------------|
//	            done                  loaded                  tail
//
// Time is the queue's own: it advances with the times it is given and stands
// still when they go back, so no wait becomes longer than it was meant to be.
//
// The name of a lane is a key of order, often a patient's number. Nothing here
// puts it in an error or a reason, and callers must not log it.
//
// The engine and the runner of feed tests import this package. It imports only
// internal/message.
package lanes

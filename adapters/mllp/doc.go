// Package mllp carries HL7 v2 messages over TCP in the Minimal Lower Layer
// Protocol: a listener (source) and a sender (destination), both with optional
// mutual TLS.
//
//	VT  the message, segments ended by CR  FS  CR
//	0B  4D 53 48 7C ...              0D    1C  0D
//
// The listener answers a frame only after Accept has said that its message is
// durable; what the answer says is the engine's word (message.Reply), here it is
// only spelled. One frame per connection is in hand at a time, so answers leave
// in the order of arrival; between connections there is no order.
//
// The sender has one message in flight per connection, takes an answer for its
// own only if MSA-2 is the copy's control id byte for byte, and never uses a
// connection again on which an answer is still owed.
//
// The package never decides what to answer, never tries a copy again on account
// of an answer, never stores, and never logs or reports what a message says.
// Framing, header and acknowledgement are package hl7's. Only cmd imports it.
//
// Counters, given to Count of the environment. Listener:
//
//	connections         taken
//	connections_closed  ended, however
//	refused_address     closed at once: allow_from does not name the peer
//	refused_limit       closed at once: max_connections, max_connections_per_peer
//	tls_failed          no TLS session came about
//	messages            frames handed to the engine
//	not_stored          ... that the engine did not take
//	answers             written
//	answer_failed       due, but the connection was gone
//	no_answer           none was due
//	junk_bytes          outside of any frame
//	frames_dropped      begun, and begun again before their end
//	frames_cut          begun, and the connection ended
//	frames_too_large    above max_message
//	frames_late         not whole within frame_timeout
//	unframed            peers that sent a message without a frame
//	panics              faults of our own; the connection was closed
//
// Sender:
//
//	connections         made
//	connect_failed      could not be made
//	reconnects          kept open by us, closed by the other side, made again
//	late_bytes          connections closed because something lay in them unasked
//	sent                frames written
//	answers             that counted
//	no_reply            no answer came in time
//	wrong_id            answers to another message
//	unreadable          answers that are none
package mllp

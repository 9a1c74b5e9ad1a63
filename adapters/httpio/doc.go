// Package httpio carries messages over HTTP/1.1 and HTTP/2: a listener (source)
// and a sender (destination), both with optional mutual TLS.
//
// # The listener
//
// One port, one path, POST only. Several sources cannot share a port: each claims
// its own. Who may send is settled first, and nothing of a body is read before:
//
//	connection   allow_from, max_connections[_per_peer]    closed, before TLS
//	             client_ca                                 no TLS session
//	headers      bearer                                    401
//	             path, method                              404, 405
//	             Content-Type, Content-Encoding            415, naming what is taken
//	             Content-Length above max_message          413
//	             Idempotency-Key empty, twice, too long    400
//	             max_requests in hand                      503, Retry-After
//	             stopping                                  503, Retry-After
//	body         above max_message, gzip above 100:1       413
//	             not whole within body_timeout             408
//	             not one whole gzip stream, cut off        400
//
// All of these end the connection. What comes whole is handed to the engine, even
// if the sender goes away meanwhile, and answered after Accept has said that it is
// durable:
//
//	                                       ER7            XML
//	stored                                 200 + ACK      200 + acknowledgement
//	refused (AE, AR, CE, CR)               200 + ACK      422 + acknowledgement
//	refused, and no ACK was asked for      422            -
//	quarantined: no message can be read    400 + ACK      400 + acknowledgement
//	not stored (any error of Accept)       503 + ACK AE   503 + acknowledgement AE
//
// An ACK is 200 whatever it says: HL7 over HTTP (section 2.6, as its reference
// implementation has done since the HL7 ITS working group decided so) takes the
// status for the transport and the ACK for the application. XML has no such
// convention; there the status speaks: 422 because the message was understood and
// would be refused again, 400 because it was not. 503 is the one answer that asks
// for the same message again. Reply.HTTP overrides the status, Reply.Body and
// Reply.Type the body. Every answer to a stored message carries its id in
// Spine-Message-Id, and Spine-Duplicate: true where it is a repeat's.
//
// Media types: application/hl7-v2, application/hl7-v2+er7 and
// x-application/hl7-v2+er7 are ER7; application/xml, text/xml and
// [x-]application/hl7-v2+xml are XML. HL7 over HTTP (section 2.4) declares the
// character set in the charset parameter. It is echoed in the answer and not used
// otherwise: a message is read by its MSH-18 and the source's charset, as over any
// other wire, and its bytes are kept as they came.
//
// Idempotency-Key: a message with a key that was sent before, with the same body,
// is not stored again and gets the first one's answer. The same key with another
// body is another message.
//
// # The sender
//
// One address, by POST or PUT, over a pool of its own, without proxy, cookies or
// cache. The reply's code, which the reply table judges:
//
//	status of three digits    any answer that is not HL7, or not 2xx
//	the status                2xx with an ACK: MSA-1 is AA or CA, MSA-2 the copy's MSH-10
//	AE, AR, CE, CR            2xx with an ACK that refuses: a 200 with AE is no success
//	wrong_id                  2xx with an ACK to another message
//	unreadable                2xx that calls itself HL7 and is not; what is no HTTP
//	none                      no answer within reply_timeout after the last byte
//	(an error, tried again)   no connection, no TLS session, cut before an answer
//
// An ACK counts as one by its Content-Type. It replaces only a status of success:
// for 4xx and 5xx the rows that every table has must hold. Who calls a peer that
// answers in ACKs adds rows for AE and AR; without one they are tried again, as
// every code without a row, redirects (3xx) included.
//
// Every request carries Idempotency-Key: MESSAGE.SEQ.N, the message's id and the
// copy's key in the journal: the same for every try of a copy, before and after a
// restart, and for copies that a person sends again.
//
// Addresses are judged when the socket connects, after the name was resolved, so a
// name that moves (DNS rebinding) gains nothing. Refused unless allow_private names
// them: loopback, link-local, unspecified, multicast and reserved addresses, the
// metadata addresses of clouds, and IPv6 addresses that lead to one of these.
// Private networks are allowed. Redirects are answers, not followed; with
// redirects: same_host a 307 or 308 to the same scheme, host and port is, three
// times at most, under the same guard.
//
// The package never decides what to answer, never tries a copy again on account of
// an answer, never stores, and never logs or reports what a message, an answer or a
// secret says. Only cmd imports it.
//
// # Counters
//
// Listener:
//
//	connections         taken
//	connections_closed  ended, however
//	refused_address     closed at once: allow_from does not name the peer
//	refused_limit       closed at once: max_connections, max_connections_per_peer
//	tls_failed          no TLS session came about
//	broken_connections  faults of HTTP that are not counted elsewhere
//	refused_token       401
//	refused_request     404, 405, 400 for the idempotency key
//	refused_media       415
//	refused_busy        503: max_requests
//	refused_stopping    503: the listener stops
//	too_large           413
//	body_late           408
//	body_cut            the sender went away in its body
//	body_broken         not one whole gzip stream
//	messages            bodies handed to the engine
//	not_stored          ... that the engine did not take, and bodies that could not be spooled
//	answers             written
//	answer_failed       due, but the connection was gone
//	panics              faults of our own; answered 503
//
// Sender:
//
//	connections         made
//	connect_failed      could not be made
//	redirects           followed
//	answers             that count
//	failed              tries without an answer
//	no_reply            no answer came in time
//	wrong_id            acknowledgements of another message
//	unreadable          answers that are none
package httpio

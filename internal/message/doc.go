// Package message holds the values that travel through the engine: the Envelope
// that came in, the Decision made about it, the Deliveries that go out, and the
// Body handle through which all of them reach bytes.
//
// A message is patient data. None of these types prints its content: String,
// %v, %#v and MarshalJSON of a Body give sizes, and nothing here logs.
//
// The package never opens a socket, never reads the clock and never decides
// anything. Every room above hl7 and internal/xmldoc may import it.
package message

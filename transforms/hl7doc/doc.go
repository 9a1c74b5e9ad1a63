// Package hl7doc shows an hl7.Message as a message.Doc, so that steps and
// expressions need not know the format they work on.
//
// It adds nothing of its own to HL7: the rules are those of package hl7. It never
// prints a value. routes and tests of transforms import it.
package hl7doc

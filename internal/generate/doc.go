// Package generate makes synthetic patients and HL7 v2 messages about them: ADT,
// ORU, SIU, MDM and ORM that tell one coherent story. A patient is admitted before
// the transfer and the discharge, under one visit number; results belong to orders
// of known patients; a merge names two numbers of one person.
//
// The same options give the same bytes, on every machine and on every day: it reads
// no clock and draws no chance but its own seed. Nobody in it is real: NHS numbers
// are of the 999 range, which is never issued; telephone numbers are of the ranges
// kept free for drama; postcodes are ZZ99 pseudo-codes; names are invented.
//
// It never reads a message of others, and never opens or sends anything. Commands,
// demos and tests may import it.
package generate

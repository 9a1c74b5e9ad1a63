// Package routes turns a project folder into a Plan, and a Plan decides what
// follows from a message.
//
// Load reads spine.yaml, values, feeds and tables, reports every problem at once
// with file, line and column, and compiles what is sound. Decide is pure: the
// same message, plan and time give the same decision; it does no I/O beyond
// viewing the body it was given, reads no clock, draws no random numbers and logs
// nothing. So a feed can be tested, explained and replayed with the code that
// runs live.
//
// Reasons and problems name selectors, tables, rules and sizes, never the
// values of a message.
//
// A message goes through each feed that takes it, and through the feeds these
// hand it to, in one decision; a feed may split it. Each word on it, or on a part
// of it, is a message.Part, and the weightiest is the outcome.
//
// Acknowledgement: original mode answers once the message is stored (AA), or
// refuses (AE, AR). Enhanced mode (MSH-15 or MSH-16 present) gets the accept
// acknowledgement alone (CA, CE, CR, or none, as MSH-15 asks); an application
// acknowledgement asked for by MSH-16 is not made here. A source may answer by a
// template instead.
//
// The engine, the command line and the console import this package.
package routes

// Package expr compiles and runs the expressions of the feed language: CEL with
// typed access to the message by constant selectors.
//
// Everything that can be known before a message comes is found at compile time,
// with its position: types, selectors, tables, named values, patterns, forms of
// dates, time zones, secrets. What is left to fail when a message is there is a
// Fault, which names what went wrong and never a value; it is never "false".
//
//	text -> parse -> rewrite (selectors, tables, constants) -> check -> program
//	                                                             |-> Go closures, for the common expressions
//	                                                             '-> CEL's interpreter, for all
//
// An Env compiles; a Scope holds one message; a Program runs over a Scope. Both
// ways of running mean the same, which a test holds them to. Functions is the
// reference of all that can be called.
//
// The package reads no file and no clock, and no zone data but when compiling.
// Only routes imports it.
package expr

// Package template makes documents from templates: text with {{ expressions }},
// {{each SELECTOR as x}}, {{if EXPRESSION}} and {{end}}, and nothing else.
//
// Every value is escaped for the format that the template makes, by the place it
// stands at, so that no value can end a segment, an element or a string:
//
//	hl7    the delimiters that the template's own MSH declares, control characters as \Xhh\
//	xml    element text and quoted attribute values; a value anywhere else is a problem
//	json   within a string, or alone: then it becomes a quoted string
//	text   as it is
//
// A line that holds only {{each}}, {{if}} and {{end}} leaves nothing behind. In
// hl7 every line end becomes CR, blanks before a segment and blank lines vanish,
// and the last segment is terminated. To write {{ itself, write {{ "{{" }}.
//
// Expressions read HL7 null as the empty text, so a template writes null only where
// it says so: {{if msg.is_null("PID-29")}}""{{end}}.
//
// Expressions and selectors are compiled by whoever parses a template: the package
// knows neither CEL nor any format's selectors. It is pure: no files, no clock.
// Errors name the template and its lines, never values. routes imports it.
package template

// Package xmldoc reads, selects from and edits XML documents. Its Doc is a
// message.Doc and a message.Walker, as transforms/hl7doc is for HL7 v2.
//
// # Bytes
//
// The tree refers to the bytes that were parsed; nothing is copied for a node
// that nobody edits. An edit replaces only what it names: quotes, white space,
// comments, CDATA sections, self-closing forms and the encoding of all else
// leave as they came, and Bytes of an unedited document is the parsed slice.
//
//	<v:Id  type='NH'>999<!-- x --></v:Id>
//	|start           |       |           |end    an element, its text, a comment
//	       |lead|attr|                           white space goes with its attribute
//
// # What is refused
//
// Parse makes two passes: the first one checks everything with memory that does
// not grow with the document, the second builds the tree, of a size then known.
// Refused are document type declarations, entities other than the five of XML,
// more than one root, duplicate attributes, undeclared prefixes, characters that
// XML 1.0 lacks, encodings other than UTF-8, UTF-16 with a byte order mark,
// ISO-8859-1, windows-1252 and US-ASCII, and whatever exceeds a limit of Options.
// Sources: XML 1.0 (fifth edition), Namespaces in XML 1.0 (third edition).
//
// # Selectors
//
// Compile takes XPath 1.0 with the namespaces that the feed declares. A name
// without a prefix is a name in no namespace, as the standard has it. Text,
// Presence and the setters mean one node; Text and Presence take the first in
// document order, the setters refuse to choose among several. List, Items,
// Expand and Remove mean all. So IsList is always false: a path that is meant to
// find one thing may be written as a path, without an index.
// A selector asks for no more than a bounded amount of work, whatever the
// document; Doc.Err says when it was given up.
//
// XPath is evaluated here and not by a library, because the one at hand answers
// some ordinary questions wrongly and silently (nested predicates, p:*, order of
// unions, contains() of two paths) and cannot be bounded. What is here was
// compared with libxml2 on 22,000 random expressions.
//
// id() is left out, for a document has no declared identifiers here, and so are
// variables: a selector is configuration, never put together from values.
//
// # What it never does
//
// It opens nothing, fetches nothing, logs nothing, and no error or String holds
// content: positions, counts and selectors only. transforms and routes import it.
package xmldoc

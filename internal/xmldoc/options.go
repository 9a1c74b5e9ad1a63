package xmldoc

import "fmt"

// Options bound what Parse accepts. A limit of 0 means its default.
type Options struct {
	// Namespaces are the prefixes that a feed declares. A fragment that an edit
	// brings may use them; they are declared there if the document does not.
	Namespaces map[string]string

	MaxBytes      int // of the document in UTF-8; 1 GiB
	MaxDepth      int // of elements in elements; 100, at most 10,000
	MaxAttributes int // of one element, declarations of namespaces included; 256
	MaxElements   int // 1,000,000
	MaxNodes      int // elements, attributes, texts, comments, instructions; 1,500,000
	MaxName       int // bytes of a name; 1,024
	MaxNamespaces int // different prefixes, and different namespaces; 1,000
}

func (o Options) limited() Options {
	for _, l := range []struct {
		n         *int
		std, most int
	}{
		{&o.MaxBytes, 1 << 30, 1 << 31},
		{&o.MaxDepth, 100, 10_000},
		{&o.MaxAttributes, 256, 60_000},
		{&o.MaxElements, 1_000_000, 1 << 30},
		{&o.MaxNodes, 1_500_000, 1 << 30},
		{&o.MaxName, 1024, 60_000},
		{&o.MaxNamespaces, 1000, 60_000},
	} {
		if *l.n <= 0 {
			*l.n = l.std
		}
		*l.n = min(*l.n, l.most)
	}
	return o
}

// A ParseError says why bytes are not a document that is accepted here. It
// never holds them.
type ParseError struct {
	Offset int    // bytes from the start of the input
	Line   int    // from 1
	Column int    // characters, from 1
	Text   string // what is wrong
	Hint   string // how to mend it; may be empty
}

func (e *ParseError) Error() string {
	return withHint(fmt.Sprintf("xml: %s (line %d, column %d, byte %d)", e.Text, e.Line, e.Column, e.Offset), e.Hint)
}

// A SelectorError says why a text is not a selector of XML.
type SelectorError struct {
	Input  string // the selector as written
	Offset int    // bytes into Input
	Text   string // what is wrong
	Hint   string // how to write it; may be empty
}

func (e *SelectorError) Error() string {
	return withHint(fmt.Sprintf("xml: bad selector %q at character %d: %s", e.Input, e.Offset+1, e.Text), e.Hint)
}

// A SetError says why an edit was refused; the document is unchanged. Unwrap
// gives message.ErrNoMatch or message.ErrUnsupported where one of them applies.
type SetError struct {
	Selector string
	Text     string
	Hint     string
	Err      error // may be nil
}

func (e *SetError) Error() string {
	return withHint(fmt.Sprintf("xml: cannot set %s: %s", e.Selector, e.Text), e.Hint)
}

// Unwrap gives the sentinel, if any.
func (e *SetError) Unwrap() error { return e.Err }

func withHint(s, hint string) string {
	if hint == "" {
		return s
	}
	return s + "; " + hint
}

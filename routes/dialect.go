package routes

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"strings"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/internal/xmldoc"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
)

// dialect is how selectors are read at one place of a feed: the format that
// messages have there, and the items of the each steps around it.
type dialect struct {
	format     message.Format
	namespaces map[string]string           // of XML: by prefix
	items      map[string]int              // slots by name
	walks      map[string]message.Selector // by name: what the items are; nil for groups
}

// selector compiles the text of a selector.
func (d dialect) selector(text string) (message.Selector, error) {
	switch d.format {
	case message.XML:
		return d.xmlSelector(text)
	case message.Text:
		return nil, errNoSelectors
	}
	s, err := hl7doc.Compile(text, d.items)
	if err != nil {
		return nil, err
	}
	if name := hl7.ItemName(text); name != "" {
		err = hl7doc.Fits(s, d.walks[name])
	}
	return s, err
}

// at compiles a selector that stands at n, as a key or as a value; nil after a problem.
func (d dialect) at(n *conf.Node, text string) message.Selector {
	s, err := d.selector(text)
	if err == nil {
		return s
	}
	offset, what, hint := d.fault(text, err)
	if d.format == message.HL7 && !xmldoc.LooksLike(text) && !n.Quoted() && strings.ContainsAny(text, " ") {
		hint = "quote a selector that holds spaces"
	}
	n.ErrorAt(offset, hint, "selector %q: %s", text, what)
	return nil
}

// fault says what a selector has wrong; one of another format is that, whatever
// else it would be.
func (d dialect) fault(text string, err error) (offset int, what, hint string) {
	switch {
	case d.format == message.HL7 && xmldoc.LooksLike(text) && !segmentFirst.MatchString(text):
		return 0, "this is a selector of XML, and the messages here are hl7", "declare format: xml at the source, or name a field such as PID-5.1"
	case d.format == message.XML && looksLikeHL7(text):
		return 0, "this is a selector of HL7, and the messages here are xml", "write a path such as /p:Patient/p:Id"
	}
	return selectorFault(err)
}

// faulty is what an expression learns of a selector that is none.
type faulty struct {
	offset     int
	text, hint string
}

func (f faulty) Error() string { return f.text }

// Detail is what package expr asks of an error: where in the selector, what and how to mend it.
func (f faulty) Detail() (offset int, text, hint string) { return f.offset, f.text, f.hint }

// inExpression compiles a selector that stands in an expression.
func (d dialect) inExpression(text string) (message.Selector, error) {
	s, err := d.selector(text)
	if err == nil {
		return s, nil
	}
	offset, what, hint := d.fault(text, err)
	return nil, faulty{offset, what, hint}
}

// selectorFault takes apart what the packages of the formats say.
func selectorFault(err error) (offset int, text, hint string) {
	var h *hl7.PathError
	if errors.As(err, &h) {
		return h.Offset, h.Text, h.Hint
	}
	if offset, text, hint, ok := xmlFault(err); ok {
		return offset, text, hint
	}
	return 0, err.Error(), ""
}

// segmentFirst: what begins with a segment is no path of XML, whatever follows.
var segmentFirst = regexp.MustCompile(`^[A-Z][A-Z0-9]{2}[-(/>]`)

func looksLikeHL7(text string) bool {
	_, err := hl7.ParsePath(text)
	return err == nil && strings.ContainsAny(text, "-(")
}

// of compiles the selector written at n; nil after a problem.
func (d dialect) of(n *conf.Node) message.Selector { return d.at(n, n.Source()) }

// all compiles a list of selectors.
func (d dialect) all(n *conf.Node) []message.Selector {
	var out []message.Selector
	for _, c := range n.Items() {
		if s := d.of(c); s != nil {
			out = append(out, s)
		}
	}
	return out
}

// with gives the dialect within an each step.
func (d dialect) with(item string, slot int, walks message.Selector) dialect {
	items, in := map[string]int{item: slot}, map[string]message.Selector{item: walks}
	maps.Copy(items, d.items)
	maps.Copy(in, d.walks)
	d.items, d.walks = items, in
	return d
}

// readFormat reads format and namespaces of a source.
func readFormat(format, namespaces *conf.Node) dialect {
	d := dialect{}
	if format.IsMap() {
		format.Errorf("write format: hl7 or format: xml", "this form of format is not supported by this version yet")
		return d
	}
	if format.OneOf("hl7", "hl7", "xml") == "xml" {
		d.format = message.XML
	}
	return d.declare(namespaces)
}

// declare reads the namespaces of messages, by prefix.
func (d dialect) declare(namespaces *conf.Node) dialect {
	switch {
	case !namespaces.Present():
		return d
	case d.format != message.XML:
		namespaces.Errorf("add format: xml, or leave it out", "namespaces are for XML")
		return d
	}
	d.namespaces = map[string]string{}
	for _, f := range namespaces.Fields() {
		if !identifier.MatchString(strings.ReplaceAll(f.Key, "-", "_")) {
			f.Name.Errorf("letters, digits, - and _", "%q cannot be a prefix", f.Key)
			continue
		}
		if d.namespaces[f.Key] = f.Node.Text(); d.namespaces[f.Key] == "" {
			f.Node.Errorf("write the namespace's URI", "the namespace is empty")
		}
	}
	return d
}

// same reports whether two sources give a feed the same kind of messages.
func (d dialect) same(o dialect) bool {
	return d.format == o.format && maps.Equal(d.namespaces, o.namespaces)
}

func (d dialect) String() string {
	if len(d.namespaces) == 0 {
		return d.format.String()
	}
	return fmt.Sprintf("%s with %d namespaces", d.format, len(d.namespaces))
}

// prefixes are the namespaces that tests may use of what a feed delivers: those of
// its templates and of its source; of one prefix the source's counts.
func (f *feed) prefixes() map[string]string {
	if len(f.made) == 0 {
		return f.orig.namespaces
	}
	out := maps.Clone(f.made)
	maps.Copy(out, f.orig.namespaces)
	return out
}

// Selector compiles a selector of messages of the given format as the feed
// declares them: the namespaces of its source and of its templates are known.
func (p *Plan) Selector(feed string, format message.Format, text string) (message.Selector, error) {
	d := dialect{format: format}
	for _, f := range p.feeds {
		if f.name == feed {
			d.namespaces = f.prefixes()
		}
	}
	return d.selector(text)
}

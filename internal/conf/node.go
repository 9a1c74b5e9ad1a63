package conf

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	yaml "go.yaml.in/yaml/v4"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Context is what all nodes of one project share.
type Context struct {
	Problems *Problems
	Resolve  func(kind, name string) (string, error) // ${kind:name}; nil = none are known
	Seen     func(what string, known []string)       // told of every Map, for tests of what describes the files; nil = nobody asks
}

// Node is one value of a configuration file, with its position. A nil *Node
// stands for a key that is absent: its accessors give zero values, so that
// optional keys need no ceremony.
type Node struct {
	File  string
	ctx   *Context
	y     *yaml.Node
	lines []string // of the file, for positions within a scalar
}

// Parse reads one YAML document. Faults of syntax, and the traps, go to
// ctx.Problems; the result is nil when nothing can be read.
func Parse(ctx *Context, file string, data []byte) *Node {
	data, unfit := plainText(file, data)
	if unfit != nil {
		ctx.Problems.Add(*unfit)
		return nil
	}
	var doc, more yaml.Node
	documents := yaml.NewDecoder(bytes.NewReader(data))
	if err := documents.Decode(&doc); err != nil && !errors.Is(err, io.EOF) {
		ctx.Problems.Add(syntaxProblem(file, err))
		return nil
	}
	if err := documents.Decode(&more); err == nil {
		ctx.Problems.Add(Problem{File: file, Line: more.Line, Column: more.Column, Text: "a second document begins here, and only the first is read",
			Hint: "remove the line --- before it, or make two files"})
	} else if !errors.Is(err, io.EOF) {
		ctx.Problems.Add(syntaxProblem(file, err))
	}
	if len(doc.Content) == 0 {
		ctx.Problems.Add(Problem{File: file, Text: "the file is empty", Hint: `begin with "spine: v1"`})
		return nil
	}
	n := &Node{File: file, ctx: ctx, y: doc.Content[0], lines: strings.Split(string(data), "\n")}
	n.checkTraps()
	return n
}

// checkTraps walks the tree once for what YAML would silently read as something else.
func (n *Node) checkTraps() {
	y := n.y
	before := len(n.ctx.Problems.list)
	switch {
	case y.Kind == yaml.AliasNode:
		n.Errorf("write the value out, or use a named value", "YAML aliases (*%s) are not part of the feed language", y.Value)
	case y.Anchor != "":
		n.Errorf("write the value out", "YAML anchors (&%s) are not part of the feed language", y.Anchor)
	case y.Style&yaml.TaggedStyle != 0:
		n.Errorf("a text that begins with ! must be quoted", "YAML tags (%s) are not part of the feed language", y.Tag)
	case y.Tag == "!!null":
		n.Errorf(`leave the key out, or write "" for an empty text`, "no value")
	}
	if len(n.ctx.Problems.list) > before {
		n.ctx.Problems.trap(n)
	}
	if y.Kind == yaml.MappingNode {
		n.checkDuplicates()
	}
	for _, c := range y.Content {
		n.child(c).checkTraps()
	}
}

func (n *Node) checkDuplicates() {
	seen := map[string]int{}
	for i := 0; i+1 < len(n.y.Content); i += 2 {
		k := n.y.Content[i]
		if k.Tag == "!!merge" && n.y.Content[i+1].Kind != yaml.AliasNode { // an alias is reported itself
			n.child(k).Errorf("write the values out", "YAML merge keys (<<) are not part of the feed language")
			n.ctx.Problems.trap(n.child(k))
			n.ctx.Problems.trap(n)
		}
		if line, dup := seen[k.Value]; dup {
			n.child(k).Errorf("keep one of the two", "key %q stands here twice, first in line %d", k.Value, line)
		}
		seen[k.Value] = k.Line
	}
}

func (n *Node) child(y *yaml.Node) *Node {
	return &Node{File: n.File, ctx: n.ctx, y: y, lines: n.lines}
}

// Present reports whether the key was written.
func (n *Node) Present() bool { return n != nil }

// Place is the node's file and line.
func (n *Node) Place() message.Place {
	if n == nil {
		return message.Place{}
	}
	return message.Place{File: n.File, Line: n.y.Line}
}

// Position is the node's line and column, from 1.
func (n *Node) Position() (line, column int) { return n.y.Line, n.y.Column }

// Errorf records a fault at the node; hint says how to mend it and may be empty.
func (n *Node) Errorf(hint, format string, args ...any) { n.add(Error, 0, hint, format, args) }

// Warnf records something that works but is probably not meant.
func (n *Node) Warnf(hint, format string, args ...any) { n.add(Warning, 0, hint, format, args) }

func (n *Node) add(s Severity, offset int, hint, format string, args []any) {
	if n.ctx.Problems.trapped(n) {
		return // what it would have been is not known, so nothing more is wrong with it
	}
	n.ctx.Problems.Add(Problem{File: n.File, Line: n.y.Line, Column: n.y.Column + offset,
		Severity: s, Text: fmt.Sprintf(format, args...), Hint: hint})
}

func (n *Node) quoted() bool {
	return n.y.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0
}

// Comment is the comment on the node's line. An unquoted expression with a
// comment was probably cut short by " #".
func (n *Node) Comment() string {
	if n == nil {
		return ""
	}
	return n.y.LineComment
}

// Quoted reports whether a scalar was written in quotes.
func (n *Node) Quoted() bool { return n != nil && n.quoted() }

// IsMap, IsList and IsText tell the kind of a node; all false for an absent one.
func (n *Node) IsMap() bool  { return n != nil && n.y.Kind == yaml.MappingNode }
func (n *Node) IsList() bool { return n != nil && n.y.Kind == yaml.SequenceNode }
func (n *Node) IsText() bool { return n != nil && n.y.Kind == yaml.ScalarNode }

// Field is one entry of a mapping.
type Field struct {
	Key  string
	Name *Node // the key itself, for its position
	Node *Node
}

// Fields gives the entries of a mapping in written order, with any keys at all.
func (n *Node) Fields() []Field {
	if n == nil {
		return nil
	}
	if !n.IsMap() {
		n.Errorf("", "expected a mapping (key: value), found %s", n.kind())
		return nil
	}
	out := make([]Field, 0, len(n.y.Content)/2)
	for i := 0; i+1 < len(n.y.Content); i += 2 {
		k := n.child(n.y.Content[i])
		out = append(out, Field{Key: k.y.Value, Name: k, Node: n.child(n.y.Content[i+1])})
	}
	return out
}

// Map gives the entries of a mapping whose keys are all known; any other key is a
// problem with a suggestion. what names the place for people: "map step".
func (n *Node) Map(what string, known ...string) map[string]*Node {
	out := map[string]*Node{}
	if n != nil && n.ctx.Seen != nil {
		n.ctx.Seen(what, known)
	}
	for _, f := range n.Fields() {
		if !contains(known, f.Key) {
			f.Name.Errorf(suggestion(f.Key, known), "unknown key %q in %s", f.Key, what)
			continue
		}
		if _, dup := out[f.Key]; !dup {
			out[f.Key] = f.Node
		}
	}
	return out
}

// Items gives the elements of a list; a single value stands for a list of one.
func (n *Node) Items() []*Node {
	if n == nil {
		return nil
	}
	if !n.IsList() {
		return []*Node{n}
	}
	out := make([]*Node, len(n.y.Content))
	for i, c := range n.y.Content {
		out[i] = n.child(c)
	}
	return out
}

func (n *Node) kind() string {
	switch n.y.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		return "a list"
	default:
		return "a text"
	}
}

// Source is the scalar exactly as written, without ${...} resolved; "" if absent.
func (n *Node) Source() string {
	if n == nil {
		return ""
	}
	if !n.IsText() {
		n.Errorf("", "expected a text, found %s", n.kind())
		return ""
	}
	return n.y.Value
}

// Text is the scalar with ${...} resolved; "" if absent.
func (n *Node) Text() string {
	s := n.Source()
	if !strings.Contains(s, "${") {
		return s
	}
	return n.interpolate(s)
}

// Texts gives a list of texts.
func (n *Node) Texts() []string {
	var out []string
	for _, c := range n.Items() {
		out = append(out, c.Text())
	}
	return out
}

// OneOf gives a text that must be one of the allowed ones; def if absent.
func (n *Node) OneOf(def string, allowed ...string) string {
	if n == nil {
		return def
	}
	s := n.Text()
	if contains(allowed, s) {
		return s
	}
	hint := suggestion(s, allowed)
	if hint == "" {
		hint = "write one of " + strings.Join(allowed, ", ")
	}
	n.Errorf(hint, "%q is not allowed here", s)
	return def
}

// Bool gives true or false; def if absent.
func (n *Node) Bool(def bool) bool {
	if n == nil {
		return def
	}
	switch n.Text() {
	case "true":
		return true
	case "false":
		return false
	}
	n.Errorf("write true or false", "%q is not a yes or no", n.Text())
	return def
}

// Int gives a whole number within lo..hi; def if absent.
func (n *Node) Int(def, lo, hi int) int {
	if n == nil {
		return def
	}
	v, err := strconv.Atoi(n.Text())
	if err != nil || v < lo || v > hi {
		n.Errorf(fmt.Sprintf("write a whole number from %d to %d", lo, hi), "%q is out of place", n.Text())
		return def
	}
	return v
}

// Duration gives a length of time: 300ms, 30s, 5m, 24h, 7d, 2w; def if absent.
func (n *Node) Duration(def time.Duration) time.Duration {
	if n == nil {
		return def
	}
	d, ok := parseDuration(n.Text())
	if !ok {
		n.Errorf("write a number and a unit: 300ms, 30s, 5m, 24h, 7d", "%q is not a length of time", n.Text())
		return def
	}
	return d
}

// Size gives bytes: 512, 64KiB, 16MiB, 2GiB (and kB, MB, GB); def if absent.
func (n *Node) Size(def int64) int64 {
	if n == nil {
		return def
	}
	v, ok := parseSize(n.Text())
	if !ok {
		n.Errorf("write a number and a unit: 64KiB, 16MiB, 2GiB", "%q is not a size", n.Text())
		return def
	}
	return v
}

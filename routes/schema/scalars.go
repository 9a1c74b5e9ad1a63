package schema

// Scalar is a text, number or yes-or-no of a certain form. A scalar of the
// language means the text that was written, so 0123 and "0123" are the same.
type Scalar struct {
	Says     string   // for people
	Form     string   // how it is written, where that needs more words
	Words    []string // all there are; nil = any
	Pattern  string   // for what YAML reads as a text
	Not      string   // a pattern that it must not have
	Numbers  bool     // what YAML reads as a number may stand for the text
	Yes      bool     // and what it reads as true or false
	Low, Top *float64 // of numbers
	Verbatim bool     // ${...} is not resolved in it
}

type scalar interface{ scalar() Scalar }

// Kinds of scalars. They are named as the reference shows them.
type (
	Text       string
	Word       string // with one: in the field's tag
	Reason     string
	Expression string
	Value      string
	Selector   string
	OrderKey   string
	Name       string
	Identifier string
	Prefix     string
	Segment    string
	PartNumber string
	File       string
	Secret     string
	Bool       string
	Int        string // with range: in the field's tag
	Number     string
	Share      string
	Rate       string
	Duration   string
	Size       string
	Address    string
	URL        string
	Network    string
	Mode       string
	Weekly     string
	Instant    string
	Pattern    string
	ReplyCode  string
	Answered   string
	QueueName  string
)

const (
	something = `[\s\S]*\S[\s\S]*`
	number    = `[+]?[0-9]+(?:\.[0-9]+)?`
	duration  = `[+]?(?:0|[0-9]+[dw]|(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:ns|us|µs|μs|ms|s|m|h))+)`
	statuses  = `[1-5](?:xx|[0-9][0-9])`
)

func (Text) scalar() Scalar { return Scalar{Says: "a text", Numbers: true, Yes: true} }
func (Word) scalar() Scalar { return Scalar{Says: "a word"} }
func (Reason) scalar() Scalar {
	return Scalar{Says: "a reason", Form: "plain words for people; no expression", Pattern: something, Not: "^= ", Numbers: true, Yes: true}
}
func (Expression) scalar() Scalar {
	return Scalar{Says: "an expression", Form: "CEL; see [expressions](expressions.md)", Pattern: something, Not: `\$\{`, Numbers: true, Yes: true, Verbatim: true}
}
func (Value) scalar() Scalar {
	return Scalar{Says: "a value", Form: "a text; `= ` and an expression; `=x` without the blank is a problem", Not: "^=(?:[^ ]|$)", Numbers: true, Yes: true}
}
func (Selector) scalar() Scalar {
	return Scalar{Says: "a selector", Form: "a place of a message, as PID-3(5=NH).1, or a path of XML; quoted where it holds blanks or # [ ] { }", Pattern: something, Verbatim: true}
}
func (OrderKey) scalar() Scalar {
	return Scalar{Says: "a selector or `= ` and an expression", Pattern: something, Verbatim: true}
}
func (Name) scalar() Scalar {
	return Scalar{Says: "a name", Form: "letters, digits, - _ . ; at most 64, beginning with a letter or digit", Pattern: `[A-Za-z0-9][A-Za-z0-9_.-]{0,63}`, Numbers: true, Yes: true}
}
func (Identifier) scalar() Scalar {
	return Scalar{Says: "an identifier", Form: "letters, digits and _; at most 64, beginning with a letter or _", Pattern: `[A-Za-z_][A-Za-z0-9_]{0,63}`}
}
func (Prefix) scalar() Scalar {
	return Scalar{Says: "a prefix: letters, digits, - _", Pattern: `[A-Za-z_-][A-Za-z0-9_-]{0,63}`}
}
func (Segment) scalar() Scalar {
	return Scalar{Says: "a segment, such as OBR", Pattern: `[A-Z][A-Z0-9]{2}`}
}
func (PartNumber) scalar() Scalar {
	return Scalar{Says: "a number from 1", Pattern: `[+]?0*[1-9][0-9]*`}
}
func (File) scalar() Scalar {
	return Scalar{Says: "a path", Form: "within the project folder; of mailboxes and stores also one that begins with /", Pattern: something, Numbers: true, Yes: true}
}
func (Secret) scalar() Scalar {
	return Scalar{Says: "a secret", Form: "`${file:secrets/NAME}` or `${env:NAME}`, never the text itself", Pattern: `.*\$\{`}
}
func (Bool) scalar() Scalar { return Scalar{Says: "true or false", Words: []string{"true", "false"}} }
func (Int) scalar() Scalar {
	return Scalar{Says: "a whole number", Pattern: `[+-]?[0-9]+`, Numbers: true}
}
func (Number) scalar() Scalar {
	return Scalar{Says: "a number", Pattern: number, Numbers: true}
}
func (Share) scalar() Scalar {
	return Scalar{Says: "a share from 0% to 90%", Pattern: number + "%"}
}
func (Rate) scalar() Scalar {
	return Scalar{Says: "a rate", Form: "20/s, 600/m, 5000/h", Pattern: number + `\s*/[smh]`}
}
func (Duration) scalar() Scalar {
	return Scalar{Says: "a time", Form: "300ms, 30s, 5m, 24h, 7d, 2w", Pattern: duration, Numbers: true, Low: new(float64), Top: new(float64)}
}
func (Size) scalar() Scalar {
	return Scalar{Says: "a size", Form: "bytes: 512, 64KiB, 16MiB, 2GiB", Pattern: `[+]?[0-9]+\s*(?:[KMGT]iB|[kMGT]B|B)?`, Numbers: true}
}
func (Address) scalar() Scalar {
	return Scalar{Says: "host:port", Pattern: `.*:[0-9]+`}
}
func (URL) scalar() Scalar     { return Scalar{Says: "a URL", Pattern: `[hH][tT][tT][pP][sS]?://.+`} }
func (Network) scalar() Scalar { return Scalar{Says: "a network", Form: "10.20.0.0/16, or an address"} }
func (Mode) scalar() Scalar {
	return Scalar{Says: "three octal digits, such as \"0640\"", Pattern: `0*[0-7]{1,3}`, Numbers: true}
}
func (Weekly) scalar() Scalar {
	return Scalar{Says: "a weekly span", Form: "\"Sun 02:00-04:00 Europe/London\"", Pattern: `\s*[A-Za-z]{3}\s+\S+-\S+\s+\S+\s*`}
}
func (Instant) scalar() Scalar {
	return Scalar{Says: "an instant", Form: "\"2026-11-22T10:00:00Z\"", Pattern: `[0-9]{4}-[0-9]{2}-[0-9]{2}T.+`}
}
func (Pattern) scalar() Scalar {
	return Scalar{Says: "a pattern", Form: "a regular expression of RE2", Numbers: true, Yes: true, Verbatim: true}
}
func (ReplyCode) scalar() Scalar {
	return Scalar{Says: "an HTTP status or a class of them: 200, 4xx", Pattern: statuses}
}
func (Answered) scalar() Scalar {
	return Scalar{Says: "AA, AE, AR, CA, CE, CR, unreadable, written or an HTTP status", Pattern: `(?:AA|AE|AR|CA|CE|CR|unreadable|written|[1-5][0-9][0-9])`, Numbers: true}
}
func (QueueName) scalar() Scalar {
	return Scalar{Says: "a destination's name", Form: "of the feed; FEED/DESTINATION of another; or a peer's", Pattern: something}
}

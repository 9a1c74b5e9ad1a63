package generate

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
)

// Options say what the messages look like. The zero value of each field stands for
// what its comment names.
type Options struct {
	Seed       uint64
	From       time.Time // when the story begins, and the zone of all times; Epoch
	Version    string    // MSH-12: one of Versions(); 2.4
	Charset    string    // MSH-18, a name of table 0211 or a usual one; UNICODE UTF-8
	Sending    string    // MSH-3^MSH-4: PAS^RXX
	Receiving  string    // MSH-5^MSH-6: SPINE^RXX
	Processing string    // MSH-11: P
	PDF        bool      // ORU carries its report as a PDF as well
}

// Epoch is when the story begins unless Options say otherwise.
func Epoch() time.Time { return time.Date(2026, 11, 22, 8, 0, 0, 0, time.UTC) }

// Versions are those of the standard that messages can be made for.
func Versions() []string { return []string{"2.3", "2.3.1", "2.4", "2.5", "2.5.1", "2.6"} }

// Generator tells the story of a hospital, message by message. It is not safe for
// use by several goroutines.
type Generator struct {
	o     Options
	dice  dice
	now   time.Time
	nhs   *numbers
	local *numbers
	names names

	people []*someone
	taken  map[bed]bool
	orders []*order
	booked []*appointment

	messages, visits, trolleys, orderCount, resultCount, bookings, documents int
}

type names struct{ families, girls, boys []string }

// New makes a generator with the usual options.
func New(seed uint64) *Generator {
	g, err := NewWith(Options{Seed: seed})
	if err != nil { // the zero options are all good; TestNew holds this
		return nil
	}
	return g
}

// NewWith makes a generator, or says which option is wrong.
func NewWith(o Options) (*Generator, error) {
	if err := o.complete(); err != nil {
		return nil, err
	}
	d := newDice(o.Seed)
	g := &Generator{o: o, dice: d, now: o.From, nhs: newNumbers(d), local: newNumbers(d), taken: map[bed]bool{}}
	g.names = names{o.writable(families()), o.writable(girls()), o.writable(boys())}
	return g, nil
}

func (o *Options) complete() error {
	if o.From.IsZero() {
		o.From = Epoch()
	}
	for _, d := range []struct {
		field *string
		value string
	}{{&o.Version, "2.4"}, {&o.Charset, utf8Name}, {&o.Sending, "PAS^RXX"}, {&o.Receiving, "SPINE^RXX"}, {&o.Processing, "P"}} {
		if *d.field == "" {
			*d.field = d.value
		}
	}
	if !slices.Contains(Versions(), o.Version) {
		return fmt.Errorf("version %q is not one of %s", o.Version, strings.Join(Versions(), ", "))
	}
	for _, p := range []string{o.Sending, o.Receiving, o.Processing} {
		if !partyForm.MatchString(p) {
			return fmt.Errorf("%q is not of the form APPLICATION^FACILITY, such as PAS^RXX", p)
		}
	}
	if _, err := o.encode("MSH|^~\\&|A\r"); err != nil {
		return fmt.Errorf("character set %q: %w", o.Charset, err)
	}
	return nil
}

var partyForm = regexp.MustCompile(`^[^|~\\&\x00-\x1f^]*(\^[^|~\\&\x00-\x1f^]*)?$`)

const utf8Name = "UNICODE UTF-8"

// encode writes a UTF-8 message in the character set, and MSH-18 with it.
func (o *Options) encode(msg string) ([]byte, error) {
	if o.Charset == utf8Name {
		return []byte(msg), nil
	}
	m, err := hl7.Parse([]byte(msg))
	if err != nil {
		return nil, err
	}
	if err := m.Recode(o.Charset, hl7.Unfit{}); err != nil {
		return nil, err
	}
	return m.Bytes(), nil
}

// writable are the names that the character set can write.
func (o *Options) writable(list []string) []string {
	return slices.DeleteFunc(list, func(s string) bool {
		_, err := o.encode("MSH|^~\\&|A\rNTE|1||" + string(text(s)) + "\r")
		return err != nil
	})
}

// Kind is a family of messages, as commands name it.
type Kind string

// The kinds.
const (
	ADT Kind = "adt" // patient administration
	ORU Kind = "oru" // results
	SIU Kind = "siu" // appointments
	MDM Kind = "mdm" // documents
	ORM Kind = "orm" // orders
)

// Kinds are all of them.
func Kinds() []Kind { return []Kind{ADT, ORU, SIU, MDM, ORM} }

// Events are the trigger events that can be made of a kind, in the order of a
// patient's life.
func Events(k Kind) []string {
	switch k {
	case ADT:
		return []string{"A28", "A01", "A02", "A08", "A03", "A13", "A31", "A40", "A11"}
	case ORU:
		return []string{"R01"}
	case SIU:
		return []string{"S12", "S13", "S14", "S15"}
	case MDM:
		return []string{"T02"}
	case ORM:
		return []string{"O01"}
	}
	return nil
}

// ErrUnknown (wrapped) says that there is no such kind or event.
var ErrUnknown = errors.New("cannot be generated")

// Message makes the next message, some minutes after the one before. Segments end
// with CR. The patient it is about is one for whom the event is plausible.
func (g *Generator) Message(k Kind, event string) ([]byte, error) {
	if !slices.Contains(Events(k), event) {
		if len(Events(k)) == 0 {
			return nil, fmt.Errorf("kind %q %w; there are %v", k, ErrUnknown, Kinds())
		}
		return nil, fmt.Errorf("event %q of %s %w; there are %s", event, k, ErrUnknown, strings.Join(Events(k), ", "))
	}
	g.now = g.now.Add(time.Duration(g.dice.between(20, 400)) * time.Second)
	return g.at(k, event)
}

// at makes a message at the present moment of the story.
func (g *Generator) at(k Kind, event string) ([]byte, error) {
	var body []string
	switch k {
	case ADT:
		body = g.adt(event)
	case ORU:
		body = g.oru()
	case SIU:
		body = g.siu(event)
	case MDM:
		body = g.mdm()
	case ORM:
		body = g.orm()
	}
	all := append([]string{g.header(k, event)}, body...)
	out, err := g.o.encode(strings.Join(all, "\r") + "\r")
	if err != nil {
		return nil, fmt.Errorf("making %s %s: %w", k, event, err)
	}
	return out, nil
}

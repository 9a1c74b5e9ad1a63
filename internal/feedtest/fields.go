package feedtest

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/routes"
)

// copyIs compares one delivered copy.
func (v *verifier) copyIs(where string, want *routes.SpecCopy, r *record) {
	body, err := r.d.Body.ReadAll()
	if err != nil {
		v.fail(want.Place, "%s: the copy cannot be read: %v", where, err)
		return
	}
	if want.Name != nil {
		if got := fileName(r.d, body); !matchesText(want.Name, got) {
			v.fail(want.Place, "%s: expected file_name %s, got %q", where, describe(want.Name), got)
		}
	}
	if n := lines(body); want.Lines >= 0 && n != want.Lines {
		v.fail(want.Place, "%s: expected %d lines, got %d", where, want.Lines, n)
	}
	if len(want.Fields) > 0 {
		v.fields(where, want, r, body)
	}
	if want.SameAs != nil {
		v.sameAs(where, want.SameAs, body)
	}
}

// fileName is the name a mailbox shows a copy under while no other has it.
func fileName(d *message.Delivery, body []byte) string {
	switch {
	case d.Name != "":
		return d.Name
	case routes.FormatOf(body) == message.XML:
		return d.Message.String() + ".xml"
	}
	return d.Message.String() + ".hl7"
}

func lines(b []byte) int { return len(cutLines(b)) }

// fields compares values, one by one.
func (v *verifier) fields(where string, want *routes.SpecCopy, r *record, body []byte) {
	doc, err := v.plan.ReadCopy(r.of.decision.Envelope.Source, r.d, body)
	if err != nil {
		v.fail(want.Place, "%s: the copy cannot be read: %v", where, err)
		return
	}
	for i := range want.Fields {
		f := &want.Fields[i]
		at, err := v.selector(f, r.d.Feed, doc.Format())
		if err != nil {
			v.fail(f.Place, "%s: %v", where, err)
			continue
		}
		if got, ok := compare(doc, at, &f.Want); !ok {
			v.fail(f.Place, "%s: expected %s %s, got %s", where, f.Text, describe(&f.Want), got)
		}
	}
}

// selector gives the compiled selector for the format of what was delivered, with
// the namespaces of the feed that delivered it.
func (v *verifier) selector(f *routes.SpecField, feed string, format message.Format) (message.Selector, error) {
	switch {
	case f.At != nil && format == message.HL7:
		return f.At, nil
	case f.At != nil:
		return nil, fmt.Errorf("what was delivered is %s, and %s is a selector of HL7 v2", format, f.Text)
	}
	at, err := v.plan.Selector(feed, format, f.Text)
	if err != nil {
		return nil, fmt.Errorf("what was delivered is %s, and %s cannot be looked up in it: %w", format, f.Text, err)
	}
	return at, nil
}

// compare looks a value up; got describes what is there.
func compare(doc message.Doc, at message.Selector, want *routes.SpecValue) (got string, ok bool) {
	if want.Kind == routes.ValueList {
		list := doc.List(at)
		return fmt.Sprintf("%q", list), slices.Equal(list, want.List)
	}
	presence, text := doc.Presence(at), doc.Text(at)
	got = fmt.Sprintf("%q", text)
	if presence != message.Present {
		got = map[message.Presence]string{message.Absent: "nothing (absent)", message.Empty: "nothing (empty)", message.Null: "null"}[presence]
	}
	switch want.Kind {
	case routes.ValueNull:
		ok = presence == message.Null
	case routes.ValueAbsent:
		ok = presence == message.Absent
	case routes.ValuePresent:
		ok = presence == message.Present
	case routes.ValueMatches:
		ok = presence == message.Present && want.Pattern.MatchString(text)
	default:
		ok = presence != message.Null && text == want.Text
	}
	return got, ok
}

// matchesText compares a text that belongs to no message's node.
func matchesText(want *routes.SpecValue, got string) bool {
	switch want.Kind {
	case routes.ValuePresent:
		return got != ""
	case routes.ValueAbsent:
		return got == ""
	case routes.ValueMatches:
		return want.Pattern.MatchString(got)
	}
	return want.Kind == routes.ValueText && got == want.Text
}

// describe puts an expected value into words.
func describe(v *routes.SpecValue) string {
	switch v.Kind {
	case routes.ValueList:
		return fmt.Sprintf("%q", v.List)
	case routes.ValueNull:
		return "null"
	case routes.ValueAbsent:
		return "absent"
	case routes.ValuePresent:
		return "a value"
	case routes.ValueMatches:
		return fmt.Sprintf("to match %q", strings.TrimSpace(v.Pattern.String()))
	}
	return fmt.Sprintf("%q", v.Text)
}

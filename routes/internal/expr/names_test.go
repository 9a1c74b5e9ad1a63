package expr

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/message"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
)

// walking makes the scope's message one whose slots have numbers.
func walking(s *Scope, at map[int]int) { s.SetMsg(&walker{s.Msg(), at}) }

// walker implements message.Walker as far as expressions use it.
type walker struct {
	message.Doc
	at map[int]int
}

func (w *walker) Index(slot int) int                             { return w.at[slot] }
func (w *walker) Bind(slot int, _ message.Item, index int)       { w.at[slot] = index }
func (w *walker) Items(message.Selector) ([]message.Item, error) { return nil, message.ErrUnsupported }
func (w *walker) Groups([]string) ([]message.Item, error)        { return nil, message.ErrUnsupported }
func (w *walker) Keep([]message.Selector) error                  { return message.ErrUnsupported }
func (w *walker) Cut([]message.Item, []message.Selector) ([]message.Doc, error) {
	return nil, message.ErrUnsupported
}
func (w *walker) Insert(string, message.Spot, message.Selector) (message.Item, error) {
	return nil, message.ErrUnsupported
}

func TestItems(t *testing.T) {
	e := testEnv(t)
	if err := e.PushItem("ord", 0); err != nil {
		t.Fatal(err)
	}
	if err := e.PushItem("obx", 1); err != nil {
		t.Fatal(err)
	}
	p := compile(t, e, `string(ord.index) + "." + string(obx.index)`, Text)
	last := compile(t, e, `obx.index == 3 && [1, 2].exists(n, n == ord.index)`, Bool)
	s := testScope(t, e)
	walking(s, map[int]int{0: 2, 1: 3})
	if got, err := p.Text(s); got != "2.3" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	if got, err := last.Bool(s); !got || err != nil {
		t.Errorf("got %v, %v", got, err)
	}
	for _, c := range []struct{ src, text string }{
		{`obx == "a"`, "obx is an item"},
		{`obx.idx == 1`, `an item has no "idx"`},
		{`["a"].all(obx, obx == "")`, "already has a meaning"},
	} {
		if _, iss := e.Compile(c.src, Bool); len(iss) == 0 || !strings.Contains(iss[0].Text, c.text) {
			t.Errorf("%s: %v", c.src, iss)
		}
	}
	e.PopItem()
	if _, iss := e.Compile(`obx.index == 3`, Bool); len(iss) != 1 || !strings.Contains(iss[0].Text, `"obx" is not known`) {
		t.Errorf("after its end an item means nothing: %v", iss)
	}
	if err := e.PushItem("ord", 1); err == nil {
		t.Error("an inner item took the name of an outer one")
	}
}

func TestCheckItemName(t *testing.T) {
	for name, text := range map[string]string{"obx": "", "result_1": "", "msg": "meaning", "trim": "meaning", "in": "meaning",
		"OBX": "segment", "ZP1": "segment", "a-b": "letters", "": "letters", "part": "meaning"} {
		err := CheckItemName(name)
		if (err == nil) != (text == "") || err != nil && !strings.Contains(err.Error(), text) {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestSelectorsAreAskedForTheirDocument(t *testing.T) {
	relative := "OBX-5"
	o := Options{Selector: func(text string, orig bool) (message.Selector, error) {
		if text == "it" && !orig {
			text = relative
		}
		return hl7doc.Selector(text)
	}}
	e, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	first := compile(t, e, `msg["it"]`, Text)
	relative = "PID-5.1"
	still := compile(t, e, `msg["it"]`, Text)
	e.Reset()
	then := compile(t, e, `msg["it"] + orig["PV1-3.1"]`, Text)
	s := testScope(t, e)
	for _, c := range []struct {
		p    *Program
		want string
	}{{first, "one"}, {still, "one"}, {then, "TestW7"}} {
		if got, err := c.p.Text(s); got != c.want || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, c.want)
		}
	}
	if _, iss := e.Compile(`orig["it"]`, Text); len(iss) != 1 {
		t.Errorf("orig knows no items: %v", iss)
	}
}

type xmlFault struct{}

func (xmlFault) Error() string                 { return "not shown" }
func (xmlFault) Detail() (int, string, string) { return 2, "no such axis", "write child::" }

func TestSelectorFaultsOfAnyFormat(t *testing.T) {
	for _, c := range []struct {
		name string
		err  error
		want Issue
	}{
		{"detailed", xmlFault{}, Issue{1, 7, `selector "/a": no such axis`, "write child::"}},
		{"hl7", &hl7.PathError{Offset: 1, Text: "t", Hint: "h"}, Issue{1, 6, `selector "/a": t`, "h"}},
		{"plain", errors.New("no"), Issue{1, 5, `selector "/a": no`, ""}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e, err := New(Options{Selector: func(string, bool) (message.Selector, error) { return nil, c.err }})
			if err != nil {
				t.Fatal(err)
			}
			if _, iss := e.Compile(`msg["/a"]`, Text); len(iss) != 1 || iss[0] != c.want {
				t.Fatalf("got %+v", iss)
			}
		})
	}
}

func TestLocals(t *testing.T) {
	e := testEnv(t)
	e.Define("ward", compile(t, e, `msg["PV1-3.1"]`, Any))
	end := e.Begin()
	first := compile(t, e, `vars.ward + "!"`, Any)
	a := e.DefineLocal("ward", first)
	hidden := compile(t, e, `vars.ward`, Text)
	second := compile(t, e, `size(vars.ward) + 1`, Any)
	b := e.DefineLocal("ward", second)
	number := compile(t, e, `vars.ward * 2`, Text)
	list := compile(t, e, `["x", vars.ward > 1 ? "y" : ""]`, Any)
	c := e.DefineLocal("both", list)
	joined := compile(t, e, `vars.both.join("-")`, Text)
	end()
	after := compile(t, e, `vars.ward`, Text)
	if _, iss := e.Compile(`vars.both`, Any); len(iss) == 0 {
		t.Error("a local is known after its end")
	}
	s := testScope(t, e)
	if _, err := hidden.Text(s); err == nil || !strings.Contains(err.Error(), "did not run") {
		t.Errorf("a value that was never stored: %v", err)
	}
	for _, st := range []struct {
		p *Program
		n int
	}{{first, a}, {second, b}, {list, c}} {
		if err := st.p.Store(s, st.n); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct {
		p    *Program
		want string
	}{{hidden, "W7!"}, {number, "8"}, {joined, "x-y"}, {after, "W7"}} {
		if got, err := c.p.Text(s); got != c.want || err != nil {
			t.Errorf("got %q, %v, want %q", got, err, c.want)
		}
	}
	s.ClearLocals()
	if _, err := number.Text(s); err == nil {
		t.Error("a cleared value is still there")
	}
}

// A peer's own expression is compiled by an environment of its own.
func TestProgramOfAnotherEnvironment(t *testing.T) {
	e, peer := testEnv(t), testEnv(t)
	e.Define("a", compile(t, e, `"feed"`, Any))
	peer.Define("a", compile(t, peer, `"peer"`, Any))
	mine := compile(t, e, `vars.a + msg["PV1-3.1"]`, Text)
	theirs := compile(t, peer, `vars.a + msg["PID-5.1"] + msg["PV1-3.1"]`, Text)
	local := compile(t, e, `"kept"`, Any)
	n := e.DefineLocal("k", local)
	kept := compile(t, e, `vars.k`, Text)
	s := testScope(t, e)
	if err := local.Store(s, n); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		for _, c := range []struct {
			p    *Program
			want string
		}{{mine, "feedW7"}, {theirs, "peerTestW7"}, {mine, "feedW7"}, {kept, "kept"}} {
			if got, err := c.p.Text(s); got != c.want || err != nil {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		}
		s.Set(e, s.orig.doc, s.meta.env, time.Time{})
		if err := local.Store(s, n); err != nil {
			t.Fatal(err)
		}
	}
}

func TestPart(t *testing.T) {
	e := testEnv(t)
	if _, iss := e.Compile(`part.id`, Text); len(iss) != 1 || !strings.Contains(iss[0].Text, "does not split") {
		t.Fatalf("got %v", iss)
	}
	e.AllowPart(true)
	p := compile(t, e, `part.id + "." + string(part.index)`, Text)
	s := testScope(t, e)
	s.SetPart(2, "C17.2")
	if got, err := p.Text(s); got != "C17.2.2" || err != nil {
		t.Fatalf("got %q, %v", got, err)
	}
	if got, _ := compile(t, e, `meta.row`, Text).Text(s); got != "3" {
		t.Fatalf("row: %q", got)
	}
}

// HL7 null in PID-29 says that a death is withdrawn; it never reads as a death.
func TestAWithdrawnDeathIsNoDeath(t *testing.T) {
	for _, c := range []struct {
		name, field string
		has, null   bool
	}{
		{"dead", "20260101", true, false},
		{"withdrawn", `""`, false, true},
		{"empty", "", false, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			d, err := hl7doc.Parse([]byte("MSH|^~\\&|A|B|C|D|20260101||ADT^A31|1|P|2.5\rPID"+strings.Repeat("|", 29)+c.field+"\r"), hl7.Options{})
			if err != nil {
				t.Fatal(err)
			}
			e := testEnv(t)
			s := NewScope()
			s.Set(e, d, &message.Envelope{}, time.Time{})
			for src, want := range map[string]bool{`msg.has("PID-29")`: c.has, `msg["PID-29"] != ""`: c.has, `msg.has("PID-29.1")`: c.has,
				`msg.is_null("PID-29")`: c.null, `msg.has("PID(*)-29")`: c.has, `msg["PID-30"] == "Y" || msg.has("PID-29")`: c.has} {
				if got, err := compile(t, e, src, Bool).Bool(s); got != want || err != nil {
					t.Errorf("%s: %v, %v", src, got, err)
				}
			}
		})
	}
}

// What is edited is read again each time; what is settled is read once.
func TestMemory(t *testing.T) {
	e := testEnv(t)
	p := compile(t, e, `msg["PID-5.1"] + msg.event + orig["PID-5.1"]`, Text)
	s := testScope(t, e)
	name, _ := hl7doc.Selector("PID-5.1")
	event, _ := hl7doc.Selector("MSH-9.2")
	edit := func(d message.Doc, n, ev string) {
		if err := d.Set(name, n); err != nil {
			t.Fatal(err)
		}
		if err := d.Set(event, ev); err != nil {
			t.Fatal(err)
		}
	}
	expect := func(when, want string) {
		t.Helper()
		if got, err := p.Text(s); got != want || err != nil {
			t.Fatalf("%s: got %q, %v, want %q", when, got, err, want)
		}
	}
	expect("as received", "TestA03Test")
	feed := s.Msg().Clone()
	s.SetMsg(feed)
	expect("a copy", "TestA03Test")
	edit(feed, "Two", "A31")
	expect("edited", "TwoA31Test")
	s.Settle()
	expect("settled", "TwoA31Test")
	own := feed.Clone()
	s.SetMsg(own)
	edit(own, "Own", "A08")
	expect("a destination's own", "OwnA08Test")
	s.SetMsg(feed)
	expect("the settled one again", "TwoA31Test")
	other := own.Clone()
	s.SetMsg(other)
	s.Settle()
	expect("another settled", "OwnA08Test")
	s.SetMsg(s.orig.doc)
	expect("back to the beginning", "TestA03Test")
	s.Set(e, own, s.meta.env, time.Time{})
	expect("the next message", "OwnA08Own")
}

// Which item a relative selector reads is not remembered.
func TestRelativeSelectorsAreReadEachTime(t *testing.T) {
	e := testEnv(t)
	if err := e.PushItem("obx", 0); err != nil {
		t.Fatal(err)
	}
	p := compile(t, e, `msg["OBX-5"]`, Text)
	s := testScope(t, e)
	if got, _ := p.Text(s); got != "one" {
		t.Fatal(got)
	}
	obx, _ := hl7doc.Selector("OBX-5")
	if err := s.Msg().Set(obx, "two"); err != nil {
		t.Fatal(err)
	}
	if got, _ := p.Text(s); got != "two" {
		t.Fatal(got)
	}
}

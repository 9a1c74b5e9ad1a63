package peer

import (
	"errors"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// witness collects what a peer saw.
type witness struct {
	mu   sync.Mutex
	said []string
	ids  []string
}

func (w *witness) saw(s Seen) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.said, w.ids = append(w.said, s.Answered), append(w.ids, s.ControlID)
}

func (w *witness) all() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.said)
}

func scripted(t *testing.T, acts ...Act) (*Server, *witness) {
	t.Helper()
	w := &witness{}
	s := NewScripted("127.0.0.1:0", acts...)
	s.Saw = w.saw
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Stop)
	return s, w
}

func TestAScriptIsPlayedInOrderAndItsLastActRepeats(t *testing.T) {
	s, w := scripted(t, Act{Reply: "AE", Text: "busy"}, Act{WrongID: true, Reply: "CA"}, Act{})
	c := dial(t, s)
	for i, want := range []struct{ code, id, text string }{{"AE", "1", "busy"}, {"CA", wrongID, ""}, {"AA", "1", ""}, {"AA", "1", ""}} {
		if a, err := c.Ask(message("1")); err != nil || a.Code != want.code || a.ControlID != want.id || a.Text != want.text {
			t.Errorf("message %d: %s to %s, %q: %v", i+1, a.Code, a.ControlID, a.Text, err)
		}
	}
	if got := w.all()[:3]; !slices.Equal(got, []string{"AE", "CA to another message", "AA"}) {
		t.Errorf("saw %v", got)
	}
}

func TestSilenceEndAndRefusalAreTold(t *testing.T) {
	t.Run("close", func(t *testing.T) {
		s, _ := scripted(t, Act{Close: true})
		if _, err := dial(t, s).Ask(message("1")); !errors.Is(err, io.EOF) {
			t.Errorf("got %v, want the end", err)
		}
	})
	t.Run("refuse a connection", func(t *testing.T) {
		s, w := scripted(t, Act{Refuse: true}, Act{})
		if c, err := Dial(t.Context(), s.Address(), nil, 10*time.Second); err == nil { // the reset may come first
			defer c.Close()
			if _, err := c.Ask(message("1")); err == nil {
				t.Error("a refused connection was answered")
			}
		}
		if a, err := dial(t, s).Ask(message("2")); err != nil || a.Code != "AA" {
			t.Errorf("the next one: %s, %v", a.Code, err)
		}
		if got := w.all()[0]; got != "refused" {
			t.Errorf("saw %s", got)
		}
	})
	t.Run("refuse on an open connection", func(t *testing.T) {
		s, _ := scripted(t, Act{}, Act{Refuse: true}, Act{})
		c := dial(t, s)
		if _, err := c.Ask(message("1")); err != nil {
			t.Fatal(err)
		}
		if _, err := c.Ask(message("2")); !errors.Is(err, syscall.ECONNRESET) && !errors.Is(err, io.EOF) {
			t.Errorf("got %v, want the connection to end", err)
		}
	})
	t.Run("nothing, then an answer to the next", func(t *testing.T) {
		s, _ := scripted(t, Act{Nothing: true}, Act{})
		c := dial(t, s)
		if err := c.Write(message("1")); err != nil {
			t.Fatal(err)
		}
		if a, err := c.Ask(message("2")); err != nil || a.ControlID != "2" {
			t.Errorf("answer to %s: %v", a.ControlID, err)
		}
	})
}

// A stop does not wait for what a script waits for.
func TestStopEndsAWait(t *testing.T) {
	s, _ := scripted(t, Act{Wait: 100 * time.Hour})
	c := dial(t, s)
	if err := c.Write(message("1")); err != nil {
		t.Fatal(err)
	}
	for s.Count() == 0 {
		<-time.After(time.Millisecond)
	}
	s.Stop()
	if _, err := c.Answer(); err == nil {
		t.Error("a stopped peer answered")
	}
}

func TestActsThatCannotBeDoneAreRefused(t *testing.T) {
	for _, row := range []struct {
		name string
		act  Act
		ok   bool
	}{
		{"nothing said is AA", Act{}, true},
		{"an answer after a wait", Act{Wait: time.Second, Reply: "CR", Text: "no"}, true},
		{"a status", Act{Status: 503}, true},
		{"a code that is none", Act{Reply: "XX"}, false},
		{"a status that is none", Act{Status: 99}, false},
		{"two ends", Act{Close: true, Nothing: true}, false},
		{"an answer and an end", Act{Reply: "AA", Refuse: true}, false},
	} {
		t.Run(row.name, func(t *testing.T) {
			if err := row.act.Check(); (err == nil) != row.ok {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestHTTPAnswersAsItsScriptSays(t *testing.T) {
	w := &witness{}
	s := NewHTTPServer("127.0.0.1:0", Act{}, Act{Reply: "AE"}, Act{Reply: "AR", Text: "no"}, Act{Status: 503}, Act{Close: true}, Act{Refuse: true}, Act{WrongID: true})
	s.Saw = w.saw
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	p := NewPoster("http://"+s.Address()+"/any", nil, "", 10*time.Second)
	defer p.Close()
	for i, want := range []Posted{{Status: 200, Code: "AA", ToID: "1"}, {Status: 200, Code: "AE", ToID: "1"}, {Status: 422, Code: "AR", Text: "no"}, {Status: 503, Code: "AA", ToID: "1"}} {
		body := message("1")
		if i == 2 {
			body = []byte("\xef\xbb\xbf <a/>")
		}
		got, err := p.Post(t.Context(), body, TypeOf(body))
		if err != nil || got.Status != want.Status || got.Code != want.Code || got.ToID != want.ToID || got.Text != want.Text {
			t.Errorf("message %d: %d %s to %s %q: %v", i+1, got.Status, got.Code, got.ToID, got.Text, err)
		}
	}
	for _, what := range []string{"closed", "refused"} {
		p.Close() // a refusal is of a new connection
		if _, err := p.Post(t.Context(), message("1"), TypeER7); err == nil {
			t.Errorf("%s, and yet answered", what)
		}
	}
	if got, err := p.Post(t.Context(), message("1"), TypeER7); err != nil || got.ToID != wrongID {
		t.Errorf("answer to %s: %v", got.ToID, err)
	}
	if err := s.Stop(); err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(w.all(), ", "); got != "AA, AE, AR, AA 503, closed, refused, AA to another message" {
		t.Errorf("saw %s", got)
	}
}

func TestHTTPAsksForItsToken(t *testing.T) {
	s := NewHTTPServer("127.0.0.1:0")
	s.Bearer = "secret"
	if err := s.Start(); err != nil {
		t.Fatal(err)
	}
	defer s.Stop()
	for token, want := range map[string]int{"": 401, "wrong": 401, "secret": 200} {
		p := NewPoster("http://"+s.Address(), nil, token, 10*time.Second)
		if got, err := p.Post(t.Context(), message("1"), TypeER7); err != nil || got.Status != want {
			t.Errorf("token %q: %d, %v", token, got.Status, err)
		}
		p.Close()
	}
	if resp, err := http.Get("http://" + s.Address()); err != nil || resp.StatusCode != http.StatusMethodNotAllowed {
		t.Errorf("GET: %v", err)
	} else {
		resp.Body.Close()
	}
	if s.Count() != 1 {
		t.Errorf("counted %d messages", s.Count())
	}
}

func TestDropNeverOverwritesAndTakerLeavesWhatIsNotReady(t *testing.T) {
	dir, into := t.TempDir(), t.TempDir()
	for _, name := range []string{".hidden", "../up", "", "a/b"} {
		if Drop(dir, name, nil, "") == nil {
			t.Errorf("the name %q was taken", name)
		}
	}
	if err := Drop(dir, "a.hl7", message("1"), ".ok"); err != nil {
		t.Fatal(err)
	}
	if err := Drop(dir, "a.hl7", message("2"), ""); !errors.Is(err, os.ErrExist) {
		t.Errorf("got %v, want that it exists", err)
	}
	if err := Drop(dir, "b.hl7", message("2"), ""); err != nil { // has no marker
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "c.hl7"), 0o755); err != nil {
		t.Fatal(err)
	}
	tk := Taker{Dir: dir, Marker: ".ok", Into: into}
	var got []string
	if err := tk.Run(t.Context(), func(name string, data []byte) bool { got = append(got, name+" "+string(data)); return true }); err != nil {
		t.Fatal(err)
	}
	if len(got) != 1 || got[0] != "a.hl7 "+string(message("1")) {
		t.Errorf("took %q", got)
	}
	left, err := os.ReadDir(dir)
	if err != nil || len(left) != 2 {
		t.Errorf("left %v: %v", left, err)
	}
	if kept, err := os.ReadFile(filepath.Join(into, "a.hl7")); err != nil || string(kept) != string(message("1")) {
		t.Errorf("kept %q: %v", kept, err)
	}
}

package mailbox

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spine-engine/spine-engine/internal/message"
)

func TestFilesAndMessagesComeInOrder(t *testing.T) {
	dir := t.TempDir()
	drop(t, dir, "a.hl7", hl7Message("4"), 9)
	drop(t, dir, "c.hl7", hl7Message("3"), 5)
	drop(t, dir, "b.bat", "FHS|^~\\&|PAS\rBHS|^~\\&|PAS\r"+hl7Message("1")+hl7Message("2")+"BTS|2\rFTS|1\r", 5)
	drop(t, dir, "d.txt", hl7Message("5"), 1)
	s, d := openSource(t, dir, renamedRule+`files: ["*.hl7", "*.bat"]`), &desk{}
	mustPass(t, s, d)
	if got := d.controls(); got != "1 2 3 4" {
		t.Errorf("accepted %s", got)
	}
	e := d.got[1]
	if e.File != "b.bat" || e.Index != 2 || e.Source != "test" || !strings.HasPrefix(e.Origin, "mailbox:") || !strings.HasSuffix(e.Origin, ":2") {
		t.Errorf("envelope %+v", e)
	}
	want := []string{".spine/archive/day/*~b.bat", ".spine/archive/day/*~c.hl7", ".spine/archive/day/*~a.hl7", "d.txt"}
	if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestFormats(t *testing.T) {
	for _, row := range []struct {
		name, yaml, content string
		format              message.Format
		messages            int
		problem             string
	}{
		{name: "batch", content: hl7Message("1") + hl7Message("2"), messages: 2},
		{name: "not split", yaml: "batch: { split: false }", content: hl7Message("1") + hl7Message("2"), messages: 1},
		{name: "xml", content: "\xef\xbb\xbf\n<a><b/></a>", format: message.XML, messages: 1},
		{name: "no message", content: "PID|1\r", messages: 1, problem: "there is no message (MSH segment) in it"},
		{name: "empty batch", content: "FHS|^~\\&|PAS\rBHS|^~\\&|PAS\rBTS|0\rFTS|1\r", messages: 0},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			drop(t, dir, "x", row.content, 0)
			s, d := openSource(t, dir, renamedRule+row.yaml), &desk{}
			mustPass(t, s, d)
			if len(d.got) != row.messages {
				t.Fatalf("%d messages", len(d.got))
			}
			for _, e := range d.got {
				if e.Format != row.format || e.Problem != row.problem {
					t.Errorf("format %s problem %q", e.Format, e.Problem)
				}
			}
			if row.messages == 1 && d.bodies[0] != row.content {
				t.Error("a whole file must arrive byte by byte as it was")
			}
			if diff := cmp.Diff([]string{".spine/archive/day/*~x"}, tree(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLargeMessagesAreSpooled(t *testing.T) {
	dir := t.TempDir()
	big := hl7Message("1") + "NTE|1||" + strings.Repeat("x", 1<<20) + "\r"
	drop(t, dir, "a", big+hl7Message("2"), 0)
	drop(t, dir, "b.xml", "<a>"+strings.Repeat("x", 1<<20)+"</a>", 1)
	s, d := openSource(t, dir, renamedRule), &desk{}
	mustPass(t, s, d)
	for i, want := range []bool{true, false, true} {
		if _, spooled := d.got[i].Body.File(); spooled != want {
			t.Errorf("message %d: spooled %t", i, spooled)
		}
	}
	if d.bodies[0] != big {
		t.Error("the spooled body differs")
	}
}

func TestFailedFilesAreQuarantinedWithReason(t *testing.T) {
	batch := hl7Message("1") + "MSH|^~\\&\x01" + strings.Repeat("x", 200) + "\r" + hl7Message("3")
	for _, row := range []struct {
		name, yaml, content, reason string
		accepted                    int
	}{
		{"empty", "", "", "the file is empty", 0},
		{"above max_file", "max_file: 100B", hl7Message("1"), "max_file allows 100", 0},
		{"xml above max_message", "max_message: 5B", "<abcde/>", "max_message allows 5", 0},
		{"one message above max_message", "max_message: 180B", batch, "message 2, at byte", 2},
		{"reject_file", "max_message: 180B\nbatch: { bad_message: reject_file }", batch, "none was accepted", 0},
		{"rejected as a whole", "batch: { split: false }", "MSH|reject", "reply: AR no", 1},
	} {
		t.Run(row.name, func(t *testing.T) {
			dir := t.TempDir()
			drop(t, dir, "x", row.content, 0)
			s, d := openSource(t, dir, renamedRule+row.yaml), &desk{answer: refuse("reject")}
			mustPass(t, s, d)
			if len(d.got) != row.accepted {
				t.Errorf("%d messages accepted", len(d.got))
			}
			if reason := contentOf(t, dir, ".reason"); !strings.Contains(reason, row.reason) {
				t.Errorf("reason %q", reason)
			}
			if diff := cmp.Diff([]string{".spine/quarantine/*~x", ".spine/quarantine/*~x.reason"}, tree(t, dir)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// refuse answers AR to messages that hold the word.
func refuse(word string) func(*message.Envelope, string) (message.Receipt, error) {
	return func(_ *message.Envelope, body string) (message.Receipt, error) {
		if !strings.Contains(body, word) {
			return message.Receipt{Outcome: message.Routed}, nil
		}
		return message.Receipt{Outcome: message.Rejected, Reply: message.Reply{Code: "AR", Text: "no",
			Errors: []message.ReplyError{{Location: "PID-3", Code: "101", Text: "required\nfield"}}}}, nil
	}
}

func TestRejectedMessageIsSetAsideAndItsFileGoesOn(t *testing.T) {
	dir := t.TempDir()
	drop(t, dir, "x.bat", hl7Message("1")+hl7Message("BAD")+hl7Message("3"), 0)
	s, d := openSource(t, dir, renamedRule), &desk{answer: refuse("BAD")}
	mustPass(t, s, d)
	if got := d.controls(); got != "1 BAD 3" {
		t.Errorf("accepted %s", got)
	}
	want := []string{".spine/archive/day/*~x.bat", ".spine/quarantine/*~x.bat.2.hl7", ".spine/quarantine/*~x.bat.2.hl7.reason"}
	if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
	if got := contentOf(t, dir, ".2.hl7"); got != strings.TrimSpace(hl7Message("BAD")) {
		t.Error("the message set aside differs from the one rejected")
	}
	reason := contentOf(t, dir, ".reason")
	if !strings.Contains(reason, "reply: AR no\nerror: 101 PID-3 required field\n") || strings.Contains(reason, "TEST^PATIENT") {
		t.Errorf("reason %q", reason)
	}
}

func TestWrongTrailerCountsAreReportedAndDropNothing(t *testing.T) {
	for _, ok := range []string{"archive", "delete"} {
		t.Run(ok, func(t *testing.T) {
			dir := t.TempDir()
			drop(t, dir, "x.bat", "BHS|^~\\&|PAS\r"+hl7Message("1")+hl7Message("2")+"BTS|9\r", 0)
			drop(t, dir, "y.bat", "BHS|^~\\&|PAS\r"+hl7Message("3")+"BTS|1\r", 1)
			s, d := openSource(t, dir, renamedRule+"after: { ok: "+ok+" }"), &desk{}
			mustPass(t, s, d)
			if got := d.controls(); got != "1 2 3" {
				t.Errorf("accepted %s", got)
			}
			want := []string{".spine/archive/day/*~x.bat", ".spine/archive/day/*~x.bat.report"}
			if ok == "archive" {
				want = append(want, ".spine/archive/day/*~y.bat")
			}
			if diff := cmp.Diff(want, tree(t, dir)); diff != "" {
				t.Error(diff)
			}
			if report := contentOf(t, dir, ".report"); !strings.Contains(report, "BTS-1 says 9") {
				t.Errorf("report %q", report)
			}
		})
	}
}

func TestRefusalStopsInPlaceAndGoesOnAtTheNextMessage(t *testing.T) {
	dir := t.TempDir()
	drop(t, dir, "x.bat", hl7Message("1")+hl7Message("2")+hl7Message("3"), 0)
	drop(t, dir, "y.hl7", hl7Message("4"), 1)
	full := true
	s, d := openSource(t, dir, renamedRule), &desk{}
	d.answer = func(_ *message.Envelope, body string) (message.Receipt, error) {
		if full && strings.Contains(body, "|2|") {
			return message.Receipt{}, errors.New("busy")
		}
		return message.Receipt{Outcome: message.Routed}, nil
	}
	for range 5 { // more often than a crash would be forgiven
		if err := pass(t, s, d); err == nil {
			t.Fatal("the refusal was not reported")
		}
	}
	if diff := cmp.Diff([]string{".spine/claimed/*~x.bat", ".spine/claimed/*~y.hl7"}, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
	full = false
	mustPass(t, s, d)
	if got := d.controls(); got != "1 2 3 4" || d.calls != 9 {
		t.Errorf("accepted %s with %d calls", got, d.calls)
	}
}

func TestOriginsSurviveARestart(t *testing.T) {
	dir := t.TempDir()
	drop(t, dir, "x.bat", hl7Message("1")+hl7Message("2")+hl7Message("3"), 0)
	s, d := openSource(t, dir, renamedRule), &desk{}
	// The crash: everything is accepted, but the file is not archived.
	d.answer = func(_ *message.Envelope, body string) (message.Receipt, error) {
		if strings.Contains(body, "|3|") {
			defer func() { d.answer = nil }()
			panic("crash")
		}
		return message.Receipt{Outcome: message.Routed}, nil
	}
	if err := pass(t, s, d); !errors.Is(err, errPanicked) {
		t.Fatal(err)
	}
	s.Close()
	s = openSource(t, dir, renamedRule)
	mustPass(t, s, d)
	if got := d.controls(); got != "1 2 3" {
		t.Errorf("accepted %s: repeated or lost", got)
	}
	if diff := cmp.Diff([]string{".spine/archive/day/*~x.bat"}, tree(t, dir)); diff != "" {
		t.Error(diff)
	}
}

func TestPoisonIsQuarantinedAfterThreeCrashes(t *testing.T) {
	dir := t.TempDir()
	drop(t, dir, "poison", hl7Message("1"), 0)
	drop(t, dir, "next", hl7Message("2"), 1)
	d := &desk{answer: func(e *message.Envelope, _ string) (message.Receipt, error) {
		if e.File == "poison" {
			panic("crash")
		}
		return message.Receipt{Outcome: message.Routed}, nil
	}}
	for i := range 3 {
		s := openSource(t, dir, renamedRule)
		if err := pass(t, s, d); !errors.Is(err, errPanicked) {
			t.Fatalf("run %d: %v", i, err)
		}
		s.Close()
	}
	mustPass(t, openSource(t, dir, renamedRule), d)
	if got := d.controls(); got != "2" {
		t.Errorf("accepted %s", got)
	}
	if reason := contentOf(t, dir, ".reason"); !strings.HasPrefix(reason, "processing ended abnormally three times\n") {
		t.Errorf("reason %q", reason)
	}
}

func TestUnfinishedEndIsCarriedOutLater(t *testing.T) {
	dir := t.TempDir()
	drop(t, dir, "x", hl7Message("1"), 0)
	s, d := openSource(t, dir, renamedRule), &desk{}
	block := filepath.Join(dir, ".spine/archive")
	d.answer = func(*message.Envelope, string) (message.Receipt, error) {
		// The archive's place of the day is taken: archiving fails after accepting.
		for _, day := range days() {
			if err := os.WriteFile(filepath.Join(block, day), nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		return message.Receipt{Outcome: message.Routed}, nil
	}
	if err := pass(t, s, d); err == nil {
		t.Fatal("the failure was not reported")
	}
	for _, day := range days() {
		if err := os.Remove(filepath.Join(block, day)); err != nil {
			t.Fatal(err)
		}
	}
	mustPass(t, s, d)
	if got := fmt.Sprint(d.controls(), tree(t, dir)); got != "1[.spine/archive/day/*~x]" {
		t.Error(got)
	}
}

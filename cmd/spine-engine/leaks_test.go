package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/peer"
)

// marks stand in every field of the messages below. None may come out of the
// engine anywhere but in the messages themselves.
var marks = []string{"ZQXPATIENT", "ZQXADDRESS", "ZQXCODE", "ZQXREPLY", "ZQXWARD", "ZQXFILE"}

// markedFeed has a way into every disposition and every kind of failure.
const markedFeed = `spine: v1
feed: adt
sources:
  pas: { listener: pas }
  dropbox:
    mailbox: { dir: mailboxes/pas/in, ready: { or_unchanged_for: 300ms } }
    charset: { use_msh18: true, otherwise: windows-1252 }
tables:
  ward: { rows: { W1: "1" } }
accept:
  - if: msg.event == "A02"
    then: { drop: "dropped" }
  - if: msg.event == "A03"
    then: { hold: "held" }
  - if: msg.event == "A04"
    then: { reject: { ack: AE, code: "101", at: PID-3, text: "rejected" } }
transform:
  - map: { at: PV1-3.1, table: ward, unmapped: hold }
deliver:
  - to: lab
    peer: lab
    when: msg.event != "A06"
  - to: community
    mailbox: { dir: mailboxes/community/in, name: '= msg["PID-5.1"] + "/x"' }
    when: msg.event == "A05"
    retry: { first: 100ms, factor: 2, cap: 1s, give_up_after: 1s, then: dead_letter }
unrouted: hold
`

func marked(event, ward, control string) []byte {
	return fmt.Appendf(nil, "MSH|^~\\&|PAS|RXX|SPINE|RXX|20261122||ADT^%s|%s|P|2.4\rPID|1||1^^^X^PI||ZQXPATIENT^ANN||19500101|F|||ZQXADDRESS\rPV1|1|I|%s\r", event, control, ward)
}

func TestNoContentComesOut(t *testing.T) {
	dir := t.TempDir()
	project := filepath.Join(dir, "p")
	if err := writeStarter(project); err != nil {
		t.Fatal(err)
	}
	ports, err := freePorts(4)
	if err != nil {
		t.Fatal(err)
	}
	answersNo := func(h hl7.Header, _ []byte) hl7.Ack {
		return hl7.Ack{Code: "AR", Text: "ZQXREPLY is not known here"}
	}
	lab := peer.NewServer(ports[1], answersNo)
	if err := lab.Start(); err != nil {
		t.Fatal(err)
	}
	defer lab.Stop()
	write(t, filepath.Join(project, "values/test.yaml"), fmt.Sprintf("pas_listen: %s\nlab: %s\npoct_listen: %s\n", ports[0], ports[1], ports[3]))
	write(t, filepath.Join(project, "feeds/adt.yaml"), markedFeed)
	spine := read(t, filepath.Join(project, "spine.yaml"))
	write(t, filepath.Join(project, "spine.yaml"), strings.ReplaceAll(spine, "127.0.0.1:2580", ports[2]))

	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	bin := filepath.Join(dir, "spine-engine") // the test binary is the program under that name
	if err := os.Symlink(exe, bin); err != nil {
		t.Fatal(err)
	}
	var log syncBuffer
	engine := exec.Command(bin, "run", "--log-level", "debug", project)
	engine.Stderr, engine.Stdout = &log, &log
	if err := engine.Start(); err != nil {
		t.Fatal(err)
	}
	defer engine.Process.Kill()
	waitFor(t, "the listener", func() bool { return answers(ports[0]) })

	sendMarked(t, ports[0])
	sendBrokenFrames(t, ports[0])
	write(t, filepath.Join(project, "mailboxes/pas/in/ZQXFILE.hl7"), "no message at all: ZQXPATIENT\r")
	write(t, filepath.Join(project, "feeds/adt.yaml"), strings.Replace(markedFeed, "accept:", "acept:", 1))

	out := &bytes.Buffer{}
	waitFor(t, "the broken feed to be noticed", func() bool {
		s, err := exec.Command(bin, "status", project).Output()
		return err == nil && bytes.Contains(s, []byte("acept"))
	})
	for _, args := range [][]string{{"status", project}, {"messages", "list", "-C", project}, {"messages", "list", "-C", project, "--json"},
		{"queue", "list", "-C", project}, {"queue", "show", "lab", "-C", project, "--state", "dead-lettered", "--json"},
		{"check", project}} {
		b, _ := exec.Command(bin, args...).CombinedOutput() // check fails, and should
		fmt.Fprintf(out, "%s: %s\n", args, b)
	}
	showAll(t, bin, project, out)
	for _, page := range []string{"/metrics", "/health"} {
		resp, err := http.Get("http://" + ports[2] + page)
		if err != nil {
			t.Fatal(err)
		}
		io.Copy(out, resp.Body)
		resp.Body.Close()
	}
	engine.Process.Signal(os.Interrupt)
	engine.Wait()

	for where, text := range map[string]string{"log": log.String(), "commands and metrics": out.String()} {
		for _, m := range marks {
			if m == "ZQXFILE" && where != "log" {
				continue // a person may see the name of the file a message came in
			}
			if i := strings.Index(text, m); i >= 0 {
				t.Errorf("%s came out in %s: ...%s...", m, where, text[max(0, i-200):min(len(text), i+60)])
			}
		}
	}
	if n := strings.Count(out.String(), `"id"`); n < 6 {
		t.Errorf("only %d messages came in: the test did not go the ways it should", n)
	}
}

// sendMarked takes each event the feed treats differently, and a code no table has.
func sendMarked(t *testing.T, address string) {
	client, err := peer.Dial(t.Context(), address, nil, 10*time.Second)
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	for i, event := range []string{"A01", "A02", "A03", "A04", "A05", "A06"} {
		if _, err := client.Ask(marked(event, "W1", fmt.Sprintf("C%d", i))); err != nil {
			t.Fatalf("%s: %v", event, err)
		}
	}
	if _, err := client.Ask(marked("A01", "ZQXWARD", "C9")); err != nil {
		t.Fatal(err)
	}
}

// sendBrokenFrames sends what is no message, no frame, and half a frame.
func sendBrokenFrames(t *testing.T, address string) {
	for _, b := range []string{"\x0bZQXPATIENT without a header\x1c\r", "ZQXPATIENT no frame at all\r", "\x0bMSH|^~\\&|ZQXPATIENT",
		"\x0bMSH|^~\\&^|PAS|ZQXPATIENT\r\x1c\r", "\x0bMSH|^~\\&|PAS|R|S|R|2026||ADT^A01|ZQ1|P|2.4||||||KLINGON\rPID|||1||ZQXPATIENT\r\x1c\r"} {
		c, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		c.Write([]byte(b))
		c.(*net.TCPConn).CloseWrite()
		io.Copy(io.Discard, c) // until the engine has dealt with it
		c.Close()
	}
}

func showAll(t *testing.T, bin, project string, out io.Writer) {
	b, err := exec.Command(bin, "messages", "list", "-C", project, "--json", "--limit", "100").Output()
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(b)) {
		if id, ok := strings.CutPrefix(strings.TrimSpace(line), `"id": "`); ok {
			s, err := exec.Command(bin, "messages", "show", "-C", project, strings.TrimSuffix(id, `",`)).CombinedOutput()
			if err != nil {
				t.Errorf("show: %v", err)
			}
			out.Write(s)
		}
	}
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

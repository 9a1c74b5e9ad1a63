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
let:
  dob: date(msg["PID-5.1"])
accept:
  - { if: msg.event == "B01" && vars.dob.year() == 1950, then: { drop: "a named value that cannot be computed" } }
  - if: msg.event == "A02"
    then: { drop: "dropped" }
  - if: msg.event == "A03"
    then: { hold: "held" }
  - if: msg.event == "A04"
    then: { reject: { ack: AE, code: "101", at: PID-3, text: "rejected" } }
validate:
  - { at: PID-7, rule: date, from: "19000101", if_absent: pass, if_bad: { hold: "date" } }
  - { at: PID-5.1, rule: pattern, pattern: "[a-z]+", if_absent: pass, if_bad: { warn: "pattern" } }
transform:
  - map: { at: PV1-3.1, table: ward, unmapped: hold }
  - when: { if: msg.event == "B02", do: [ { tidy: { at: PID-5.1, as: nhs_number } } ] }
  - when: { if: msg.event == "B03", do: [ { date: { at: PID-5.1, as: day } } ] }
  - when: { if: msg.event == "B04", do: [ { pad: { at: PID-5.1, to: 3 } } ] }
  - when: { if: msg.event == "B05", do: [ { set: { PID-2: '= int(msg["PID-5.1"])' } } ] }
  - when: { if: msg.event == "B06", do: [ { set: { PID-2: '= table("ward").get(msg["PID-5.1"])' } } ] }
  - when: { if: msg.event == "B07", do: [ { set: { PID-2: '= msg["PID-5.1"].split(",")[7]' } } ] }
  - when: { if: msg.event == "B08", do: [ { set: { "PID-3(5=ZZ).1": '= msg["PID-5.1"]' } } ] }
  - when: { if: msg.event == "B09", do: [ { set: { PID-5.1: { raw: '= msg["PID-11"] + "^x"' } } } ] }
  - when: { if: msg.event == "B10", do: [ { set: { PID-2: '= nhs_number_valid(msg["PID-5.1"]) ? "a" : parse_date(msg["PID-5.1"], "iso").format("uk")' } } ] }
  - when: { if: msg.event == "B11", do: [ { copy: { from: PID-5, to: PID-2.1.1 } } ] }
  - when: { if: msg.event == "B20", do: [ { let: { a: 'msg["PID-5.1"].substring(9, 3)' } } ] }
deliver:
  - to: lab
    peer: lab
    when: msg.event != "A06"
  - to: narrow
    when: msg.event == "B21"
    mailbox: { dir: mailboxes/narrow }
    charset: { as: ASCII }
    transform: [ { set: { PID-6: '= msg["PID-5.1"] + "\u0141"' } } ]
    retry: { give_up_after: never }
  - to: document
    when: msg.event == "B22"
    mailbox: { dir: mailboxes/document, body: { decode: PID-11.1, as: base64 } }
    retry: { give_up_after: never }
  - to: posted
    when: msg.event == "B23"
    http: { post: "http://127.0.0.1:9/x", allow_private: [loopback] }
    reply: { 2xx: done, 4xx: dead_letter, 5xx: retry, none: { after: 1s, do: retry } }
    retry: { first: 100ms, factor: 2, cap: 1s, give_up_after: 1s, then: dead_letter }
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
	ports, err := peer.FreePorts(4)
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

	out := &bytes.Buffer{}
	sendMarked(t, ports[0])
	sendBrokenFrames(t, ports[0])
	postMarked(t, "http://"+ports[3]+"/results", out)
	write(t, filepath.Join(project, "mailboxes/pas/in/ZQXFILE.hl7"), "no message at all: ZQXPATIENT\r")
	write(t, filepath.Join(project, "feeds/adt.yaml"), strings.Replace(markedFeed, "accept:", "acept:", 1))

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
	for i, event := range append([]string{"A01", "A02", "A03", "A04", "A05", "A06", "B20", "B21", "B22", "B23"},
		"B01", "B02", "B03", "B04", "B05", "B06", "B07", "B08", "B09", "B10", "B11") {
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

// postMarked posts XML that is accepted, held, rejected, and refused for each reason.
// What the engine answers is looked through as well.
func postMarked(t *testing.T, url string, out io.Writer) {
	const ns = ` xmlns="urn:example:device" device="D1" extra="ZQXCODE"`
	for _, body := range []string{
		"<results" + ns + ` id="1"><patient><number>9990000018</number><name>ZQXPATIENT</name></patient></results>`,
		"<results" + ns + "><patient><number>ZQXPATIENT</number></patient></results>",
		"<results" + ns + "><patient><name>ZQXPATIENT</name></patient></results>",
		"<results" + ns + "><patient><number>ZQXPATIENT</patient></results>",
		"<!DOCTYPE ZQXCODE [<!ENTITY e 'ZQXPATIENT'>]><results>&e;</results>",
		`<ZQXPATIENT ZQXCODE="1" ZQXCODE="2"/>`, "<ZQXPATIENT/><ZQXPATIENT/>", "<ZQX:PATIENT/>", "<a>&ZQXCODE;</a>", "ZQXPATIENT",
		"MSH|^~\\&|S|R|S|R|2026||ADT^A01|ZQ2|P|2.4\rPID|||ZQXPATIENT\r", "",
	} {
		for _, kind := range []string{"application/xml", "application/hl7-v2", "text/ZQXCODE"} {
			resp, err := http.Post(url, kind, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			fmt.Fprintln(out, resp.Status)
			io.Copy(out, resp.Body)
			resp.Body.Close()
		}
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
			s, err = exec.Command(bin, "explain", "-C", project, strings.TrimSuffix(id, `",`)).CombinedOutput()
			if err != nil {
				t.Errorf("explain: %v %s", err, s)
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

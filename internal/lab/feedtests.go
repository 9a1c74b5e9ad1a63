package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	manyFeedTests   = 200
	feedTestsWithin = 5 * time.Second
	feedTestRuns    = 100
)

// runFeedtests writes a project whose tests are full of failures, and runs them a
// hundred times, each in a process of its own as users do. The reports, for people
// and for machines, must be the same bytes each time.
func runFeedtests(ctx context.Context, l *lab) error {
	dir, err := l.sub("feedtests")
	if err != nil {
		return err
	}
	if err := writeFeedTests(dir, manyFeedTests); err != nil {
		return err
	}
	junit := filepath.Join(l.dir, "junit.xml")
	seen := map[[32]byte]int{}
	var took sample
	var last []byte
	runs := l.roundsOr(feedTestRuns)
	for range runs {
		began := time.Now()
		out, status, err := l.engine(project{dir: dir}).command(ctx, "test", dir, "--junit", junit)
		if err != nil {
			return err
		}
		took = append(took, time.Since(began).Seconds())
		machine, err := os.ReadFile(junit)
		if err != nil {
			return err
		}
		last = fmt.Appendf(nil, "%s%s%d", out, machine, status)
		seen[sha256.Sum256(last)]++
	}
	want := fmt.Sprintf("%d tests, %d failed", manyFeedTests, manyFeedTests/10)
	l.check(bytes.Contains(last, []byte(want)), "every test ran, and those made to fail did: %s", want)
	l.check(len(seen) == 1, "%d runs gave %d different reports (%d bytes, with JUnit)", runs, len(seen), len(last))
	l.check(took.max() < feedTestsWithin.Seconds(), "%d tests, process and check included: median %.2f s, slowest %.2f s (limit %s)", manyFeedTests, took.median(), took.max(), feedTestsWithin)
	return nil
}

const feedTestsHead = `accept:
  - { require: 'msg.event != "A99"', otherwise: { drop: not wanted } }
transform:
  - set: { MSH-3: SPINE }
  - set: { PV1-19.1: '= msg["PV1-19.1"].trim().upperAscii()' }
deliver:
  - { to: epr, peer: epr }
  - to: lims
    mllp: { connect: "127.0.0.1:2600", connections: 2 }
    order: { per: PID-3.1 }
    reply: { AA: done, AE: { retry: 3, then: hold }, AR: dead_letter, none: { after: 20s, do: retry }, wrong_id: retry }
    retry: { first: 1s, factor: 2, cap: 1m, jitter: 20%, give_up_after: 24h, then: dead_letter }
  - to: box
    mailbox: { dir: mailboxes/box, name: '= msg.control_id + ".hl7"' }
    retry: { first: 1s, factor: 2, cap: 1m, jitter: 20%, give_up_after: 1h, then: dead_letter }
unrouted: hold
tests:
`

// oneFeedTest has peers that are silent, answer another message, hang up, answer
// too late and refuse, and a mailbox that cannot be written for hours. It sends
// four messages of two patients. Every tenth test expects too few copies given up,
// so that the reports have something to tell, jittered tries included.
const oneFeedTest = `  - name: number %[1]d
    send: { to: in, files: [messages/1.hl7, messages/2.hl7, messages/3.hl7, messages/4.hl7], every: %[2]dm }
    peers:
      epr: [ { nothing: true, times: %[3]d }, { wrong_id: AA }, { close: true }, { wait: 31s, reply: AA }, { reply: AE }, AA ]
      lims: [ { nothing: true, times: 3 }, { wait: 25s, reply: AA }, { reply: AE }, AA ]
      box: [ { refuse: true } ]
    expect:
      ack: AA
      dead_lettered: { box: %[4]s }
`

func writeFeedTests(dir string, n int) error {
	p := project{dir: dir, listen: "127.0.0.1:2575", top: peersYAML(peerYAML("epr", "127.0.0.1:6661"))}
	var feed strings.Builder
	feed.WriteString(feedTestsHead)
	for i := range n {
		given := "[PAS0001, PAS0002, PAS0003, PAS0004]"
		if i%10 == 0 {
			given = "[PAS0001]"
		}
		fmt.Fprintf(&feed, oneFeedTest, i, i%7, 5+i%40, given)
	}
	p.feed = feed.String()
	if err := p.write(); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(dir, "messages"), 0o755); err != nil {
		return err
	}
	for i := range 4 {
		text := fmt.Sprintf("MSH|^~\\&|PAS|RXX|LAB|RXX|20261122080000||ADT^A08|PAS%04d|P|2.4\rEVN|A08\rPID|1||H%d^^^RXX^PI||TESTPATIENT^ANNE\rPV1|1|I|||||||||||||||||v%d\r", i+1, i%2, i)
		if err := os.WriteFile(filepath.Join(dir, "messages", fmt.Sprintf("%d.hl7", i+1)), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

package mailbox

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/message"
)

// A reload starts the changed source before the old one has ended. Together
// they take every message once, in order.
func TestReloadedSourceTakesOver(t *testing.T) {
	dir, own, d := t.TempDir(), newOwners(), &desk{}
	old := openSourceOf(t, dir, renamedRule, own)
	for i := range 9 {
		drop(t, dir, fmt.Sprint(i), hl7Message(fmt.Sprint(i)), i)
	}
	changed := openSourceOf(t, dir, renamedRule+"poll: 1s", own)
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		ended := make(chan error, 2)
		d.answer = func(e *message.Envelope, _ string) (message.Receipt, error) {
			if e.File == "4" && ctx.Err() == nil { // in hand when the old one is told to stop
				go func() { ended <- changed.Run(t.Context(), d.accept) }()
				stop()
			}
			return message.Receipt{Outcome: message.Routed}, nil
		}
		go func() { ended <- old.Run(ctx, d.accept) }()
		if err := <-ended; err != nil {
			t.Error(err)
		}
		<-time.After(time.Minute)
		if err := old.Close(); err != nil {
			t.Error(err)
		}
		if got := d.controls(); got != "0 1 2 3 4 5 6 7 8" || d.calls != 9 {
			t.Errorf("accepted %s with %d calls", got, d.calls)
		}
	})
}

func TestSourceFollowsAReplacedFolder(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "in")
	s, d := openSource(t, dir, renamedRule), &desk{}
	mustPass(t, s, d)
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	if err := pass(t, s, d); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a folder that is gone: %v", err)
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	drop(t, dir, "x", hl7Message("1"), 0)
	mustPass(t, s, d)
	if d.controls() != "1" {
		t.Errorf("accepted %q", d.controls())
	}
}

// What messages and file names hold never reaches a log, an error or a reason.
func TestNothingTellsContent(t *testing.T) {
	const canary = "CANARY"
	var log bytes.Buffer
	dir := t.TempDir()
	s, d := openSource(t, dir, renamedRule+"max_message: 300B\nbatch: { bad_message: reject_file }"), &desk{answer: refuse("refused")}
	s.env.Log = zerolog.New(&log)
	drop(t, dir, "CANARY1", "MSH|CANARY refused", 0)
	drop(t, dir, "CANARY2", "CANARY no message", 1)
	drop(t, dir, "CANARY3", "BHS|^~\\&|CANARY\rMSH|^~\\&|CANARY\rBTS|CANARY\r", 2)
	drop(t, dir, "CANARY4", "MSH|^^^^|CANARY\r"+strings.Repeat("CANARY", 90), 3)
	drop(t, dir, "CANARY\n5", "MSH|", 4)
	drop(t, dir, "CANARY6", hl7Message("CANARY panic"), 5)
	if err := os.Symlink("CANARY", filepath.Join(dir, "CANARY7")); err != nil {
		t.Fatal(err)
	}
	refuses := d.answer
	d.answer = func(e *message.Envelope, body string) (message.Receipt, error) {
		if strings.Contains(body, "panic") {
			panic(body)
		}
		return refuses(e, body)
	}
	said := fmt.Sprint(pass(t, s, d))
	dest := openDest(t, t.TempDir(), nil)
	dest.env.Log = zerolog.New(&log)
	for _, c := range []*message.Delivery{delivery(1, "CANARY/x", canary), delivery(2, "CANARY\n", canary)} {
		results, settle := dest.SendBatch(context.Background(), []*message.Delivery{c})
		said += fmt.Sprint(results[0].Err, settle())
	}
	if log.Len() == 0 || !strings.Contains(said, "panicked") {
		t.Fatal("the test reaches no error")
	}
	reasons, err := filepath.Glob(filepath.Join(dir, ".spine/quarantine/*.reason"))
	if err != nil || len(reasons) == 0 {
		t.Fatal(reasons, err)
	}
	for _, r := range reasons {
		b, err := os.ReadFile(r)
		if err != nil {
			t.Fatal(err)
		}
		said += string(b)
	}
	for _, line := range strings.Split(log.String()+said, "\n") {
		if strings.Contains(line, canary) {
			t.Error("content in: ", line)
		}
	}
}

func TestSecondProcessMayNotReadTheMailbox(t *testing.T) {
	dir := t.TempDir()
	openSource(t, dir, renamedRule)
	n, _ := parseNode(t, fmt.Sprintf("dir: %q\n%s", dir, renamedRule))
	_, err := decodeSource(n, newOwners()).Open(adapters.SourceEnv{})
	if err == nil || !strings.Contains(err.Error(), fmt.Sprintf("in use by process %d", os.Getpid())) {
		t.Error(err)
	}
}

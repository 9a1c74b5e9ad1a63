package mailbox

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/message"
)

const (
	killCopies = 800
	killDir    = "MAILBOX_TEST_KILL_DIR"
)

// TestMain lets the test binary be the process that is killed.
func TestMain(m *testing.M) {
	if dir := os.Getenv(killDir); dir != "" {
		if err := deliverAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// body of copy n begins with its own SHA-256, so that a consumer knows whether
// the file is whole.
func killBody(n uint64) []byte {
	text := bytes.Repeat(fmt.Appendf(nil, "copy %d\r", n), int(n%50)+1)
	return fmt.Appendf(nil, "%x %s", sha256.Sum256(text), text)
}

func whole(file []byte) bool {
	sum, text, ok := bytes.Cut(file, []byte(" "))
	return ok && fmt.Sprintf("%x", sha256.Sum256(text)) == string(sum)
}

// deliverAll is the engine's half: recover, then send what the journal does not
// have, recording results before it settles. It waits for a byte on its input
// before every batch.
func deliverAll(dir string) error {
	journal, err := os.OpenFile(filepath.Join(dir, "journal"), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	finished := map[uint64]bool{}
	for lines := bufio.NewScanner(journal); lines.Scan(); {
		var n uint64
		if _, err := fmt.Sscanf(lines.Text(), "%d.", &n); err == nil { // a torn line is no record
			finished[n] = true
		}
	}
	c := &destConfig{dir: filepath.Join(dir, "box"), mode: 0o640, workers: 4, batch: 64, owners: newOwners()}
	opened, err := c.Open(adapters.DestinationEnv{Name: "kill", Log: zerolog.Nop()})
	if err != nil {
		return err
	}
	d := opened.(*destination)
	keys, settle, err := d.Recover(context.Background())
	for {
		if err != nil {
			return err
		}
		for _, k := range keys {
			finished[k.Seq] = true
			if _, err := fmt.Fprintf(journal, "%d.\n", k.Seq); err != nil {
				return err
			}
		}
		if err := settle(); err != nil {
			return err
		}
		if len(finished) >= killCopies {
			return nil
		}
		if _, err := os.Stdin.Read(make([]byte, 1)); err != nil {
			return err
		}
		keys, settle, err = sendSome(d, finished)
	}
}

func sendSome(d *destination, finished map[uint64]bool) ([]message.Key, func() error, error) {
	var ds []*message.Delivery
	for n := uint64(1); n <= killCopies && len(ds) < 64; n++ {
		if !finished[n] {
			name := ""
			if n%3 == 0 {
				name = "same.txt" // declared, and always taken or still there
			}
			ds = append(ds, &message.Delivery{Key: message.Key{Seq: n}, Message: testID(n), Name: name, Body: message.InMemory(killBody(n))})
		}
	}
	results, settle := d.SendBatch(context.Background(), ds)
	var keys []message.Key
	for i, r := range results {
		if r.Err != nil {
			return nil, nil, r.Err
		}
		keys = append(keys, ds[i].Key)
	}
	return keys, settle, nil
}

// A process that is killed at any moment, again and again, shows every copy
// exactly once to a consumer that takes files all the time, and only whole ones.
func TestKilledAtAnyMomentDeliversExactlyOnce(t *testing.T) {
	dir := t.TempDir()
	seed := rand.Uint64()
	t.Log("seed", seed)
	random := rand.New(rand.NewPCG(seed, 1))
	taken := map[string]int{}
	runs := 0
	patience := 1 // a machine on which the process comes to nothing before it is killed gets more time
	for done := false; !done; runs++ {
		before := len(taken)
		if done = killOnce(t, dir, random, taken, patience); len(taken) == before {
			patience++
		}
	}
	consume(t, filepath.Join(dir, "box"), taken)
	for n := uint64(1); n <= killCopies; n++ {
		if got := taken[string(killBody(n))]; got != 1 {
			t.Errorf("copy %d was shown %d times", n, got)
		}
	}
	if len(taken) != killCopies {
		t.Errorf("%d different files for %d copies", len(taken), killCopies)
	}
	t.Logf("%d runs", runs)
	if runs < 10 {
		t.Errorf("killed only %d times", runs-1)
	}
}

// killOnce lets the process begin one to three batches and kills it at a random
// moment, and reports whether it came to its end instead.
func killOnce(t *testing.T, dir string, random *rand.Rand, taken map[string]int, patience int) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), killDir+"="+dir)
	var stderr strings.Builder
	cmd.Stderr = &stderr
	in, err := cmd.StdinPipe()
	if err == nil {
		err = cmd.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	if _, err := in.Write(make([]byte, 1+random.IntN(3))); err != nil {
		t.Fatal(err)
	}
	for range patience * (16 << random.IntN(9)) {
		consume(t, filepath.Join(dir, "box"), taken)
	}
	killErr := cmd.Process.Kill()
	err = cmd.Wait()
	if stderr.Len() > 0 {
		t.Fatal(stderr.String())
	}
	return err == nil || killErr != nil
}

// consume takes every file that is to be seen.
func consume(t *testing.T, box string, taken map[string]int) {
	t.Helper()
	entries, err := os.ReadDir(box)
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		path := filepath.Join(box, e.Name())
		b, err := os.ReadFile(path)
		if err != nil || !whole(b) {
			t.Fatalf("a file of %d bytes is not whole: %v", len(b), err)
		}
		taken[string(b)]++
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

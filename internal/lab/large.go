package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spine-engine/spine-engine/internal/peer"
)

const (
	largeSize  = 25 << 20
	largeBoxes = 8
	largeLimit = 400 << 20
)

// runLarge sends documents of 25 MB, all at once, to eight mailboxes, half of them
// with an edited first segment.
func runLarge(ctx context.Context, l *lab) error {
	count := l.countOr(4)
	dir, err := l.sub("large")
	if err != nil {
		return err
	}
	listen, err := freePort()
	if err != nil {
		return err
	}
	p := project{dir: dir, listen: listen, feed: "deliver:\n"}
	for i := range largeBoxes {
		p.feed += toMailbox(boxName(i), largeEdit(i))
	}
	p.feed += "unrouted: hold\n"
	if err := p.write(); err != nil {
		return err
	}
	e := l.engine(p)
	if err := e.up(ctx); err != nil {
		return err
	}
	defer e.kill()
	before, err := rssAnon(e.pid())
	if err != nil {
		l.skip("large: RssAnon cannot be read: %v", err)
	}
	w := watchProcess(ctx, e.pid())
	began := time.Now()
	want, err := l.sendLarge(ctx, p.listen, count)
	acked := time.Since(began)
	if err == nil {
		err = e.drained(ctx, 2*time.Minute)
	}
	took := time.Since(began)
	anon, cpu := w.end()
	if err != nil {
		return err
	}
	l.note("%d messages of %d MiB at once: acknowledged after %s, in %d mailboxes after %s, %.2f s of processor", count, largeSize>>20,
		acked.Round(time.Millisecond), largeBoxes, took.Round(time.Millisecond), cpu.Seconds())
	if before > 0 {
		l.check(anon < largeLimit, "RssAnon at most %d MiB (%d MiB before; limit %d MiB)", anon>>20, before>>20, largeLimit>>20)
	}
	return l.judgeLarge(p, want, count)
}

func boxName(i int) string { return fmt.Sprintf("box%d", i) }

// largeEdit gives every second mailbox an edited copy.
func largeEdit(i int) string {
	if i%2 == 0 {
		return ""
	}
	return "    transform: [ { set: { MSH-5: EDITED } } ]\n"
}

// largeBody is a document in OBX-5, as a laboratory or a radiology department sends it.
func largeBody(seed int64, n int, receiver string) []byte {
	src := rand.NewChaCha8(sha256.Sum256(fmt.Appendf(nil, "%d/%d", seed, n)))
	raw := make([]byte, largeSize/4*3)
	src.Read(raw) // never fails
	copy(raw, "%PDF-1.7\n")
	var b bytes.Buffer
	b.Grow(largeSize + 1024)
	fmt.Fprintf(&b, "MSH|^~\\&|RAD|RXX|%s|RXX|20261122080000||ORU^R01^ORU_R01|L%02d-%09d|P|2.5.1\r", receiver, n, n)
	b.WriteString("PID|1||900001^^^RXX^PI||TEST^LARGE\rOBR|1||1|DOC^Document\rOBX|1|ED|DOC^Document||^AP^^Base64^")
	enc := base64.NewEncoder(base64.StdEncoding, &b)
	enc.Write(raw) // into memory: never fails
	enc.Close()
	b.WriteString("||||||F\r")
	return b.Bytes()
}

// sendLarge sends all at once and gives the sums that must arrive, by receiver.
func (l *lab) sendLarge(ctx context.Context, address string, count int) (map[[32]byte]string, error) {
	want := map[[32]byte]string{}
	bodies := make([][]byte, count)
	for n := range count {
		bodies[n] = largeBody(l.seed, n, "LAB")
		want[sha256.Sum256(bodies[n])] = "LAB"
		want[sha256.Sum256(largeBody(l.seed, n, "EDITED"))] = "EDITED"
	}
	var wg sync.WaitGroup
	errs := make(chan error, count)
	for _, body := range bodies {
		wg.Go(func() { errs <- sendOne(ctx, address, body) })
	}
	wg.Wait()
	close(errs)
	for err := range errs {
		if err != nil {
			return nil, err
		}
	}
	return want, nil
}

func sendOne(ctx context.Context, address string, body []byte) error {
	c, err := peer.Dial(ctx, address, nil, time.Minute)
	if err != nil {
		return err
	}
	defer c.Close()
	a, err := c.Ask(body)
	if err == nil && a.Code != "AA" {
		err = fmt.Errorf("answered %s", a.Code)
	}
	return err
}

func (l *lab) judgeLarge(p project, want map[[32]byte]string, count int) error {
	files, wrong := 0, 0
	for i := range largeBoxes {
		receiver := "LAB"
		if i%2 == 1 {
			receiver = "EDITED"
		}
		seen := map[[32]byte]bool{}
		box := &consumer{dir: p.box(boxName(i)), keep: true, see: func(_ string, data []byte) {
			sum := sha256.Sum256(data)
			if want[sum] != receiver || seen[sum] {
				wrong++
			}
			seen[sum] = true
		}}
		if _, err := box.sweep(); err != nil {
			return err
		}
		files += box.files
	}
	l.check(files == count*largeBoxes && wrong == 0, "bytes are equal in every mailbox: %d files of %d, %d wrong", files, count*largeBoxes, wrong)
	if l.keep {
		return nil
	}
	return os.RemoveAll(filepath.Join(p.dir, "mailboxes"))
}

package main

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/peer"
)

// saw shows and keeps one message. Connections call it at the same time.
func (l *listening) saw(s peer.Seen) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.answered[s.Answered]++
	l.line(s)
	if s.Body == nil {
		return // a refused connection is no message
	}
	if l.save != "" {
		name := fmt.Sprintf("%06d-%s.%s", l.seen+1, fileSafe(s.ControlID), extension(s.Body))
		l.note(peer.Drop(l.save, name, s.Body, ""))
	}
	l.counted()
}

// tookFile shows the messages of one file, or the file itself when it holds none.
func (l *listening) tookFile(name string, data []byte) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	found := false
	batch := hl7.NewBatchReader(bytes.NewReader(data), int64(len(data))+1)
	for {
		msg, err := batch.Next()
		if err != nil {
			break // the end, or no HL7
		}
		found = true
		h, _ := hl7.ParseHeader(msg)
		l.line(peer.Seen{At: time.Now(), Remote: name, ControlID: h.ControlID, Type: h.Type, Event: h.Event, Size: len(msg), Answered: name, Body: msg})
		l.counted()
	}
	if !found {
		l.line(peer.Seen{At: time.Now(), Size: len(data), Answered: name, Body: data})
		l.counted()
	}
	l.answered["taken"]++
	return l.failed != nil || l.count > 0 && l.seen >= l.count
}

// line prints time, control id, type, bytes and answer.
func (l *listening) line(s peer.Seen) {
	if l.print == "none" {
		return
	}
	kind := s.Type
	if s.Event != "" {
		kind += "^" + s.Event
	}
	_, err := fmt.Fprintf(l.out, "%s  %s  %s  %d bytes  %s\n", s.At.Format("15:04:05.000"), orDash(printable(s.ControlID)), orDash(printable(kind)), s.Size, printable(s.Answered))
	l.note(err)
	if l.print == "raw" && s.Body != nil {
		_, err := fmt.Fprintf(l.out, "%s\n", bytes.TrimRight(bytes.ReplaceAll(s.Body, []byte{'\r'}, []byte{'\n'}), "\n"))
		l.note(err)
	}
}

// counted ends the command when there have been enough, or when it cannot go on.
func (l *listening) counted() {
	l.seen++
	if l.count > 0 && l.seen == l.count || l.failed != nil {
		l.finish()
	}
}

func (l *listening) finish() {
	select {
	case <-l.enough:
	default:
		close(l.enough)
	}
}

func (l *listening) note(err error) {
	if err != nil && l.failed == nil {
		l.failed = err
		l.finish()
	}
}

// sum says how many messages were answered how.
func (l *listening) sum() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	var parts []string
	for _, k := range slices.Sorted(maps.Keys(l.answered)) {
		parts = append(parts, fmt.Sprintf("%s %d", k, l.answered[k]))
	}
	text := fmt.Sprintf("%d messages", l.seen)
	if len(parts) > 0 {
		text += ": " + strings.Join(parts, ", ")
	}
	if _, err := io.WriteString(l.status, text+"\n"); err != nil {
		return err
	}
	if l.failed != nil {
		return fmt.Errorf("after %d messages: %w", l.seen, l.failed)
	}
	return nil
}

// fileSafe makes a file name of what a sender chose.
func fileSafe(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '_' {
			return r
		}
		return '_'
	}, s)
	if s == "" {
		return "none"
	}
	return filepath.Base(s[:min(len(s), 64)])
}

func extension(body []byte) string {
	if peer.TypeOf(body) == peer.TypeXML {
		return "xml"
	}
	return "hl7"
}

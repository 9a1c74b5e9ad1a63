package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
)

// What was decided, as the engine's socket tells it of a stored message and of its
// explanation, and as the command explain tells it of a file. The shapes are
// written here again: they are what users' scripts see.
type (
	storedMessage struct {
		listed
		Source string       `json:"source"`
		Rule   string       `json:"rule"`
		Reply  string       `json:"reply"`
		Parts  []storedPart `json:"parts"`
		Copies []storedCopy `json:"copy_list"`
	}
	storedPart struct {
		Feed     string
		Outcome  string
		Rule     string
		Reason   string
		Copies   int
		Number   int
		Findings []struct{ Rule, Text string }
	}
	storedCopy struct {
		Key, Queue, State, Rule, Reason string
		Size                            int64
		body                            []byte
	}
	explainedMessage struct {
		Outcome, Rule, Reason, Reply string
		Parts                        []storedPart
		Copies                       []explainedCopy
	}
	explainedFile struct {
		Outcome, Answer string
		Parts           []struct {
			Feed, Outcome, Rule, Reason string
			Number                      int
			Findings                    []struct {
				Rule struct {
					File string
					Line int
				}
				Text string
			}
		}
		Copies []explainedCopy
	}
	explainedCopy struct {
		Queue, State, Rule, Reason string
		Control                    string `json:"control_id"`
		Size                       int64
		Bytes                      int64
	}
)

// lines are everything that must be the same, in words that can be compared and
// shown: they hold no content.
func (m *storedMessage) lines() []string {
	out := []string{fmt.Sprintf("outcome %s %s %s, answer %s", m.Outcome, m.Rule, m.Reason, m.Reply)}
	out = append(out, partLines(m.Parts)...)
	for i := range m.Copies {
		c := &m.Copies[i]
		out = append(out, fmt.Sprintf("copy %s %s %s %s, %d bytes", c.Queue, c.State, c.Rule, c.Reason, c.Size))
	}
	return out
}

func (m *explainedMessage) lines() []string {
	out := []string{fmt.Sprintf("outcome %s %s %s, answer %s", m.Outcome, m.Rule, m.Reason, m.Reply)}
	out = append(out, partLines(m.Parts)...)
	for _, c := range m.Copies {
		out = append(out, fmt.Sprintf("copy %s %s %s %s, %d bytes", c.Queue, c.State, c.Rule, c.Reason, c.Size))
	}
	return out
}

func partLines(parts []storedPart) (out []string) {
	for _, p := range parts {
		out = append(out, fmt.Sprintf("part %s %d: %s %s %s, %d copies, findings %v", p.Feed, p.Number, p.Outcome, p.Rule, p.Reason, p.Copies, p.Findings))
	}
	return out
}

// fileLines are those of the stored message that the command tells of a file too.
// Of what is quarantined it cannot tell the reason if the wire gave it: a mailbox
// says "there is no message in it" of bytes that by MLLP would be a bad MSH.
func (m *storedMessage) fileLines() []string {
	out := []string{"outcome " + m.Outcome + ", answer " + cmp.Or(m.Reply, "none")}
	for _, p := range m.Parts {
		if p.Outcome == quarantined {
			p.Reason = ""
		}
		out = append(out, fmt.Sprintf("part %s %d: %s %s %s, findings %v", p.Feed, p.Number, p.Outcome, p.Rule, p.Reason, p.Findings))
	}
	for i := range m.Copies {
		c := &m.Copies[i]
		out = append(out, fmt.Sprintf("copy %s %s %s %s, %d bytes", c.Queue, c.State, c.Rule, c.Reason, c.Size))
	}
	return out
}

func (m *explainedFile) lines() []string {
	code, _, _ := strings.Cut(m.Answer, ",")
	out := []string{"outcome " + m.Outcome + ", answer " + code}
	for _, p := range m.Parts {
		if p.Outcome == quarantined {
			p.Reason = ""
		}
		found := []struct{ Rule, Text string }{}
		for _, f := range p.Findings {
			found = append(found, struct{ Rule, Text string }{fmt.Sprintf("%s:%d", f.Rule.File, f.Rule.Line), f.Text})
		}
		out = append(out, fmt.Sprintf("part %s %d: %s %s %s, findings %v", p.Feed, p.Number, p.Outcome, p.Rule, p.Reason, found))
	}
	for _, c := range m.Copies {
		out = append(out, fmt.Sprintf("copy %s %s %s %s, %d bytes", c.Queue, c.State, c.Rule, c.Reason, c.Bytes))
	}
	return out
}

const quarantined = "quarantined"

const separator = "--- message "

// readExplained reads what explain --json says of a file of one or more messages.
func readExplained(out []byte) (all []explainedFile, err error) {
	for _, doc := range cutAnswers(out) {
		var one explainedFile
		if err := json.Unmarshal(doc, &one); err != nil {
			return nil, fmt.Errorf("explain --json: %w", err)
		}
		all = append(all, one)
	}
	return all, nil
}

// cutAnswers cuts at the lines "--- message N of M", which a file of one message
// does not have.
func cutAnswers(out []byte) (docs [][]byte) {
	if !bytes.HasPrefix(out, []byte(separator)) {
		return [][]byte{out}
	}
	for _, doc := range bytes.Split(append([]byte("\n"), out...), []byte("\n"+separator))[1:] {
		_, doc, _ = bytes.Cut(doc, []byte("\n"))
		docs = append(docs, doc)
	}
	return docs
}

// shown is a body as explain --show prints it: a line for each segment.
func shown(body []byte) []byte {
	return bytes.ReplaceAll(bytes.TrimRight(body, "\r\n"), []byte("\r"), []byte("\n"))
}

package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// example is a copy of one of the project's examples that a process of its own can
// run: its ports are free ones, and nobody listens where it sends to.
type example struct {
	name string
	dir  string
	ways []way
}

// way is one way into an example.
type way struct {
	kind   string // mllp, http, mailbox
	at     string // host:port, or the folder
	path   string // http
	bearer string // http; "" = none is asked for
	marker string // mailbox: ending of the marker file; "" = none
}

// defaultSocket is where a project that says nothing has its admin interface.
const defaultSocket = "store/admin.sock"

// copyExample makes the copy in to.
func copyExample(from, to string) (*example, error) {
	x := &example{name: filepath.Base(from), dir: to}
	if err := os.CopyFS(to, os.DirFS(from)); err != nil {
		return nil, fmt.Errorf("copying an example: %w", err)
	}
	ports := map[string]string{}
	var text strings.Builder
	for _, pattern := range []string{"spine.yaml", "values/test.yaml", "feeds/*.yaml"} {
		files, err := filepath.Glob(filepath.Join(to, pattern))
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			s, err := movePorts(f, ports)
			if err != nil {
				return nil, err
			}
			text.WriteString(s + "\n")
		}
	}
	return x, x.findWays(text.String())
}

var loopbackPort = regexp.MustCompile(`127\.0\.0\.1:\d+`)

// movePorts gives every port of a file a free one, the same one each time.
func movePorts(file string, ports map[string]string) (string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return "", err
	}
	s := loopbackPort.ReplaceAllStringFunc(string(data), func(old string) string {
		if ports[old] == "" {
			ports[old], err = freePort()
		}
		return ports[old]
	})
	if err != nil {
		return "", err
	}
	return s, os.WriteFile(file, []byte(s), 0o644)
}

// How an example writes a listener and a mailbox that it reads. The laboratory
// reads no YAML: a way that is written otherwise is not found, and the experiments
// say how many were.
var (
	value     = regexp.MustCompile(`(?m)^([a-z_]+): (\S+)$`)
	listener  = regexp.MustCompile(`(mllp|http):[ ]*(?:#[^\n]*)?\s*\{?\s*listen:\s*"?(\$\{value:[a-z_]+\}|[^",}\s]+)`)
	urlPath   = regexp.MustCompile(`path:\s*([^,}\s]+)`)
	tokenFile = regexp.MustCompile(`bearer:\s*"\$\{file:([^}]+)\}"`)
	inbox     = regexp.MustCompile(`mailbox:\s*\{?\s*dir:\s*([^,\s]+),?\s+files:`)
	marker    = regexp.MustCompile(`marker:\s*([^,}\s]+)`)
)

func (x *example) findWays(text string) error {
	values := map[string]string{}
	for _, m := range value.FindAllStringSubmatch(text, -1) {
		values["${value:"+m[1]+"}"] = m[2]
	}
	for _, at := range listener.FindAllStringSubmatchIndex(text, -1) {
		w := way{kind: text[at[2]:at[3]], at: text[at[4]:at[5]]}
		if v, ok := values[w.at]; ok {
			w.at = v
		}
		if err := x.readHTTP(&w, nearby(text, at[1])); err != nil {
			return err
		}
		x.ways = append(x.ways, w)
	}
	for _, at := range inbox.FindAllStringSubmatchIndex(text, -1) {
		w := way{kind: "mailbox", at: filepath.Join(x.dir, text[at[2]:at[3]])}
		w.marker = firstOf(marker, nearby(text, at[1]))
		x.ways = append(x.ways, w)
	}
	if len(x.ways) == 0 {
		return fmt.Errorf("no way into the example %s was found", x.name)
	}
	return nil
}

func (x *example) readHTTP(w *way, text string) error {
	if w.kind != "http" {
		return nil
	}
	w.path = firstOf(urlPath, text)
	if file := firstOf(tokenFile, text); file != "" {
		data, err := os.ReadFile(filepath.Join(x.dir, file))
		if err != nil {
			return err
		}
		w.bearer, _, _ = strings.Cut(string(data), "\n")
	}
	return nil
}

// nearby is what stands behind a place of a text.
func nearby(text string, at int) string { return text[at:min(len(text), at+400)] }

func firstOf(re *regexp.Regexp, text string) string {
	if m := re.FindStringSubmatch(text); m != nil {
		return m[1]
	}
	return ""
}

// engine is the binary on the example.
func (l *lab) exampleEngine(x *example) *engine {
	e := l.engine(project{dir: x.dir})
	e.socket = defaultSocket
	for _, w := range x.ways {
		if w.kind != "mailbox" {
			e.listen = w.at
		}
	}
	return e
}

package routes

import (
	"fmt"
	"io/fs"
	"net/netip"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/spine-engine/spine-engine/internal/conf"
)

// name is what feeds, destinations, listeners, peers and tables may be called:
// they become parts of queue names, file names and commands.
var name = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$`)

func checkName(n *conf.Node, what, s string) bool {
	if name.MatchString(s) {
		return true
	}
	n.Errorf("letters, digits, - _ . ; at most 64", "%q cannot be the name of a %s", s, what)
	return false
}

func version(n *conf.Node, parent *conf.Node) {
	switch {
	case !n.Present():
		parent.Errorf(`begin with "spine: v1"`, "the version of the language is missing")
	case n.Text() != "v1":
		n.Errorf("write v1", "version %q of the language is not known", n.Text())
	}
}

// project reads spine.yaml.
func (l *loader) project(root *conf.Node) {
	m := l.settings(root)
	l.readSecrets(m["secrets"])
	l.steps = m["steps"]
	for _, f := range m["listeners"].Fields() {
		l.listener(f)
	}
	for _, f := range m["peers"].Fields() {
		l.peer(f)
	}
}

// settings reads what concerns the engine as a whole, and gives all keys.
func (l *loader) settings(root *conf.Node) map[string]*conf.Node {
	m := root.Map("spine.yaml", "spine", "description", "environment", "store", "admin", "listeners", "peers", "limits", "reload",
		"secrets", "steps", "users", "mesh", "defaults", "retention", "alert")
	justTexts(m, "description")
	notYet(m, "users", "mesh", "defaults", "retention", "alert")
	version(m["spine"], root)
	l.environment(m["environment"])
	l.readValues()
	s := &l.plan.Settings
	store := m["store"].Map("store", "dir", "min_free")
	s.StoreDir = textOr(store["dir"], "store")
	s.MinFree = store["min_free"].Size(256 << 20)
	admin := m["admin"].Map("admin", "listen", "socket")
	s.AdminListen = l.loopback(admin["listen"])
	s.AdminSocket = textOr(admin["socket"], path.Join(s.StoreDir, "admin.sock"))
	s.Limits = readLimits(m["limits"])
	s.Reload = Reload(m["reload"].OneOf(string(ReloadChanged), string(ReloadChanged), string(ReloadAsked)))
	return m
}

func readLimits(n *conf.Node) Limits {
	m := n.Map("limits", "in_memory", "parse", "in_flight_bytes")
	out := Limits{InMemory: m["in_memory"].Size(1 << 20), Parse: m["parse"].Size(64 << 20), InFlightBytes: m["in_flight_bytes"].Size(64 << 20)}
	if out.InFlightBytes < out.InMemory {
		n.Errorf("make in_flight_bytes larger than in_memory", "all messages together may take less memory than one of them")
	}
	return out
}

// ReadSettings reads the settings of spine.yaml as well as they can be read,
// whatever else is wrong with the project: a command that looks at the store of
// a broken project still has to find it.
func ReadSettings(fsys fs.FS, o LoadOptions) Settings {
	l := newLoader(fsys, o)
	root := l.readYAML("spine.yaml")
	if root == nil {
		root = conf.Parse(l.ctx, "spine.yaml", []byte("spine: v1\n"))
	}
	l.settings(root)
	return l.plan.Settings
}

func textOr(n *conf.Node, def string) string {
	if !n.Present() {
		return def
	}
	s := n.Text()
	if s == "" {
		n.Errorf("leave the key out for "+def, "an empty text")
	}
	return s
}

func (l *loader) environment(n *conf.Node) {
	l.plan.Environment = n.OneOf("test", "test", "live")
	switch o := l.options.Environment; o {
	case "":
	case "test", "live":
		l.plan.Environment = o
	default:
		l.problems.Add(Problem{File: "spine.yaml", Text: fmt.Sprintf("there is no environment %q", o), Hint: "ask for test or live"})
	}
}

// loopback: the admin interface has no users yet, so it listens to this machine only.
func (l *loader) loopback(n *conf.Node) string {
	if !n.Present() {
		return ""
	}
	host, port, ok := strings.Cut(n.Text(), "localhost:")
	if host != "" || !ok || port == "" {
		at, err := netip.ParseAddrPort(n.Text())
		ok = err == nil && at.Addr().IsLoopback()
	}
	if !ok {
		n.Errorf("write 127.0.0.1:8080; others reach it through a proxy or tunnel", "%q is not an address of this machine alone", n.Text())
	}
	return n.Text()
}

// readValues reads values/<environment>.yaml. That it is missing matters only
// where a value is asked for. Every file of the folder is kept for the archive.
func (l *loader) readValues() {
	name := "values/" + l.plan.Environment + ".yaml"
	l.values = map[string]string{}
	if _, err := l.read(name); err != nil {
		l.valuesErr = fmt.Errorf("%s: %w", name, err)
		return
	}
	n := l.readYAML(name)
	for _, f := range n.Fields() {
		l.values[f.Key] = f.Node.Text()
	}
}

// feedFiles lists feeds/*.yaml, sorted.
func (l *loader) feedFiles() []string {
	entries, err := fs.ReadDir(l.fs, "feeds")
	if err != nil {
		l.problems.Add(Problem{File: "feeds", Text: readableDir(err), Hint: "feeds are files feeds/NAME.yaml"})
		return nil
	}
	var out []string
	for _, e := range entries {
		switch n := e.Name(); {
		case e.IsDir(), strings.HasPrefix(n, "."):
		case strings.HasSuffix(n, ".yaml"):
			out = append(out, path.Join("feeds", n))
		case strings.HasSuffix(n, ".yml"):
			l.problems.Add(Problem{File: path.Join("feeds", n), Severity: conf.Warning, Text: "is not read", Hint: "rename it to .yaml"})
		}
	}
	if len(out) == 0 {
		l.problems.Add(Problem{File: "feeds", Text: "holds no feed", Hint: "feeds are files feeds/NAME.yaml"})
	}
	slices.Sort(out)
	return out
}

func readableDir(err error) string {
	return strings.Replace(readable(err).Error(), "no such file", "no such folder", 1)
}

// feeds reads every feed.
func (l *loader) feeds() {
	for _, file := range l.feedFiles() {
		if n := l.readYAML(file); n != nil {
			l.feed(n)
		}
	}
}

// claims finds two owners of one port or folder.
func (l *loader) claims() {
	owner := map[string]string{}
	claim := func(what, by string, n *conf.Node) {
		if first, taken := owner[what]; taken {
			n.Errorf("give each its own, or share a listener or peer", "%s is already used by %s", what, first)
			return
		}
		owner[what] = by
	}
	for i := range l.plan.sources {
		s := &l.plan.sources[i]
		for _, c := range s.Config.Claims() {
			claim(c, "source "+s.Name, l.plan.bySource[s.Name].node)
		}
	}
	for i := range l.plan.destinations {
		d := &l.plan.destinations[i]
		for _, c := range d.Config.Claims() {
			claim(c, "destination "+d.Queue, d.node)
		}
	}
}

// unused warns about listeners and peers that no feed names.
func (l *loader) unused() {
	for _, s := range l.plan.bySource {
		if len(s.takes) == 0 && !s.named && l.listeners[s.name] == s {
			s.node.Warnf("name it in a feed's sources, or remove it", "no feed takes from listener %q; all it receives is unmatched", s.name)
		}
	}
	for n, p := range l.peers {
		if !p.used && !p.retired {
			p.node.Warnf("name it in a feed's deliver, or remove it", "no feed delivers to peer %q", n)
		}
	}
}

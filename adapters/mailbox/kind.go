package mailbox

import (
	"path/filepath"
	"strings"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/conf"
)

// Kind is the adapter kind "mailbox". Make it once per process: its sources and
// destinations know of each other only when they come from the same Kind.
func Kind() adapters.Kind {
	own := newOwners()
	return adapters.Kind{
		Name:        "mailbox",
		Source:      func(n *conf.Node) adapters.SourceConfig { return decodeSource(n, own) },
		Destination: func(n *conf.Node) adapters.DestinationConfig { return decodeDestination(n, own) },
	}
}

// decodeDir reads the folder of a mailbox, which never depends on a message.
func decodeDir(node, dir *conf.Node) string {
	text := dir.Text()
	switch {
	case !dir.Present() && node.IsMap():
		node.Errorf("write dir: and the folder, as in { dir: mailboxes/pas/in }", "the mailbox has no dir")
		return ""
	case !dir.Present():
		return ""
	case strings.TrimSpace(text) == "" || strings.ContainsRune(text, 0):
		dir.Errorf("write a path; a relative one starts at the project folder", "dir names no folder")
		return ""
	case strings.HasPrefix(text, "= "):
		dir.Errorf("write one destination per folder and choose by when", "dir of a mailbox is not an expression")
		return ""
	}
	return filepath.Clean(text)
}

// within places a path of the configuration in the project.
func within(project, dir string) string {
	if filepath.IsAbs(dir) {
		return dir
	}
	return filepath.Join(project, dir)
}

// positive checks a size that must not be nothing.
func positive(n *conf.Node, v, def int64) int64 {
	if v > 0 {
		return v
	}
	n.Errorf("leave it out for the default", "a limit of 0 lets nothing through")
	return def
}

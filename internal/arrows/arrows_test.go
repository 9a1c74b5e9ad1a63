package arrows

import (
	"bytes"
	"encoding/json"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/spine-engine/spine-engine/"

// allowed says for each room which other rooms its code (not its tests) may
// import. A folder not named here stands for its nearest named parent.
var allowed = map[string][]string{
	"hl7":               {},
	"internal/message":  {"hl7"},
	"internal/conf":     {"internal/message"},
	"internal/lanes":    {"internal/message"},
	"adapters":          {"internal/conf", "internal/message"},
	"adapters/mllp":     {"adapters", "hl7", "internal/conf", "internal/message"},
	"adapters/mailbox":  {"adapters", "hl7", "internal/conf", "internal/message"},
	"adapters/httpio":   {"adapters", "hl7", "internal/conf", "internal/message"},
	"internal/xmldoc":   {"hl7", "internal/message"},
	"store":             {"internal/message"},
	"store/storetest":   {"store", "internal/message"},
	"store/disk":        {"store", "internal/message"},
	"transforms":        {"hl7", "internal/xmldoc", "internal/message"},
	"routes":            {"adapters", "transforms", "hl7", "internal/xmldoc", "internal/conf", "internal/message"},
	"internal/schedule": {"routes", "internal/lanes"},
	"internal/feedtest": {"routes", "adapters", "hl7", "internal/schedule", "internal/lanes", "internal/xmldoc", "internal/conf", "internal/message"},
	"internal/generate": {"hl7", "transforms"},
	"internal/format":   {"internal/conf"},
	"internal/engine":   {"routes", "adapters", "store", "internal/schedule", "internal/lanes", "internal/conf", "internal/message"},
	"internal/console":  {"internal/engine", "routes", "store", "internal/conf", "internal/message"},
	"internal/peer":     {"hl7"},
	"internal/arrows":   {},
	"internal/lab":      {"hl7", "internal/peer", "internal/console", "internal/engine", "internal/message", "store", "store/disk"},
	"cmd/spine-engine":  {"routes", "adapters", "adapters/mllp", "adapters/mailbox", "adapters/httpio", "store", "store/disk", "hl7", "internal/engine", "internal/feedtest", "internal/generate", "internal/format", "internal/console", "internal/conf", "internal/message", "internal/peer"},
}

// only says which rooms may import a library directly.
var only = map[string][]string{
	"go.etcd.io/bbolt":               {"store/disk"},
	"github.com/spf13/cobra":         {"cmd/spine-engine"},
	"github.com/fsnotify/fsnotify":   {"adapters/mailbox", "internal/engine"},
	"cel.dev/cel-go":                 {"routes"},
	"go.yaml.in/yaml/v4":             {"internal/conf"},
	"github.com/prometheus":          {"internal/engine", "internal/console"},
	"golang.org/x/text":              {"hl7"},
	"github.com/schollz/progressbar": {"cmd/spine-engine", "internal/lab"},
}

// pure rooms read no clock, open nothing, and draw no chance.
var pure = map[string][]string{
	"hl7":             {"net", "os", "math/rand", "math/rand/v2", "crypto/rand", "log"},
	"transforms":      {"net", "os", "math/rand", "math/rand/v2", "crypto/rand", "log"},
	"routes":          {"net", "os", "math/rand", "math/rand/v2", "crypto/rand", "log"},
	"internal/lanes":  {"net", "os", "crypto/rand", "log"},
	"internal/xmldoc": {"net", "os", "math/rand", "math/rand/v2", "crypto/rand", "log"},
}

type pkg struct {
	ImportPath string
	Imports    []string
}

func packages(t *testing.T) []pkg {
	t.Helper()
	cmd := exec.Command("go", "list", "-json=ImportPath,Imports", "./...")
	cmd.Dir = "../.."
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var ps []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p pkg
		if err := dec.Decode(&p); err == io.EOF {
			return ps
		} else if err != nil {
			t.Fatal(err)
		}
		ps = append(ps, p)
	}
}

// room is the named room that a folder belongs to.
func room(path string) string {
	for p := path; p != ""; {
		if _, ok := allowed[p]; ok {
			return p
		}
		i := strings.LastIndexByte(p, '/')
		if i < 0 {
			break
		}
		p = p[:i]
	}
	return ""
}

func TestImportsGoDown(t *testing.T) {
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		r := room(from)
		if r == "" {
			t.Errorf("%s belongs to no room: name it in this test", from)
			continue
		}
		for _, imp := range p.Imports {
			to, ours := strings.CutPrefix(imp, module)
			if !ours || room(to) == r {
				continue
			}
			if !slices.Contains(allowed[r], room(to)) {
				t.Errorf("%s imports %s: that arrow does not go down", from, to)
			}
		}
	}
}

func TestLibrariesStayInTheirRooms(t *testing.T) {
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		for _, imp := range p.Imports {
			for lib, rooms := range only {
				if (imp == lib || strings.HasPrefix(imp, lib+"/")) && !slices.Contains(rooms, room(from)) {
					t.Errorf("%s imports %s, which stays in %s", from, imp, strings.Join(rooms, ", "))
				}
			}
		}
	}
}

func TestPureRooms(t *testing.T) {
	for _, p := range packages(t) {
		from := strings.TrimPrefix(p.ImportPath, module)
		for _, imp := range p.Imports {
			if slices.Contains(pure[room(from)], imp) {
				t.Errorf("%s imports %s: this room is pure", from, imp)
			}
		}
	}
}

package mailbox

import (
	"encoding/binary"
	"fmt"
	"os"
	"testing"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/conf"
	"github.com/spine-engine/spine-engine/internal/message"
)

// testID makes the n-th message id of a test.
func testID(n uint64) (id message.ID) {
	binary.BigEndian.PutUint64(id[8:], n)
	return id
}

func parseNode(t testing.TB, yaml string) (*conf.Node, *conf.Problems) {
	t.Helper()
	problems := &conf.Problems{}
	return conf.Parse(&conf.Context{Problems: problems}, "feeds/test.yaml", []byte(yaml)), problems
}

// openDest opens a destination on dir, as another process would when own is nil.
func openDest(t testing.TB, dir string, own *owners) *destination {
	t.Helper()
	if own == nil {
		own = newOwners()
	}
	n, problems := parseNode(t, fmt.Sprintf("dir: %q\n", dir))
	conf := decodeDestination(n, own)
	if problems.Failed() {
		t.Fatal(problems.Sorted())
	}
	opened, err := conf.Open(adapters.DestinationEnv{Name: "test", Project: os.TempDir(), Log: zerolog.Nop()})
	if err != nil {
		t.Fatal(err)
	}
	d := opened.(*destination)
	t.Cleanup(func() { d.Close() })
	return d
}

package main

import (
	"net"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/internal/peer"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"spine-engine": main})
}

// The scripts talk to the command line as a person would. Beside the commands of
// testscript they have:
//
//	ports PAS LAB ADMIN     free addresses in these variables
//	lab up|down             the laboratory's MLLP peer at $LAB
//	trap set|empty          counts who connects to $LAB
//	await TEXT COMMAND ...  runs a command until its output holds the text
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"ports": cmdPorts,
			"lab":   cmdLab,
			"await": cmdAwait,
			"trap":  cmdTrap,
		},
	})
}

func cmdPorts(ts *testscript.TestScript, _ bool, names []string) {
	addresses, err := peer.FreePorts(len(names))
	ts.Check(err)
	for i, n := range names {
		ts.Setenv(n, addresses[i])
	}
}

type labKey struct{}

func cmdLab(ts *testscript.TestScript, _ bool, args []string) {
	lab, _ := ts.Value(labKey{}).(*peer.Server)
	switch args[0] {
	case "up":
		s := peer.NewServer(ts.Getenv("LAB"), func(hl7.Header, []byte) hl7.Ack { return hl7.Ack{Code: "AA"} })
		ts.Check(s.Start())
		labs.Store(ts.Getenv("LAB"), s)
		ts.Defer(s.Stop)
	case "down":
		if s, ok := labs.LoadAndDelete(ts.Getenv("LAB")); ok {
			lab = s.(*peer.Server)
		}
		lab.Stop()
	default:
		ts.Fatalf("lab up|down")
	}
}

func cmdAwait(ts *testscript.TestScript, _ bool, args []string) {
	deadline := time.Now().Add(30 * time.Second)
	for {
		err := ts.Exec(args[1], args[2:]...)
		out := ts.ReadFile("stdout")
		if err == nil && contains(out, args[0]) {
			return
		}
		if time.Now().After(deadline) {
			ts.Fatalf("waited 30 s for %q in the output of %v; last output:\n%s", args[0], args[1:], out)
		}
		runtimeGosched()
	}
}

// waitFor polls a condition of another process, which no fake clock reaches.
func waitFor(t *testing.T, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("waited 30 s for %s", what)
		}
		runtimeGosched()
	}
}

// answers reports whether something listens there.
func answers(address string) bool {
	c, err := net.DialTimeout("tcp", address, time.Second)
	if err != nil {
		return false
	}
	c.Close()
	return true
}

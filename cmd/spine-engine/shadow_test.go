package main

import (
	"net"
	"sync"
	"sync/atomic"

	"github.com/rogpeppe/go-internal/testscript"
)

// traps are those that scripts have set, by address.
var traps sync.Map

// trap counts connections to $LAB: trap set, then trap empty.
type trap struct {
	n atomic.Int64
}

func cmdTrap(ts *testscript.TestScript, _ bool, args []string) {
	switch args[0] {
	case "set":
		l, err := net.Listen("tcp", ts.Getenv("LAB"))
		ts.Check(err)
		t := &trap{}
		traps.Store(ts.Getenv("LAB"), t)
		ts.Defer(func() { l.Close() })
		go func() {
			for {
				c, err := l.Accept()
				if err != nil {
					return
				}
				t.n.Add(1)
				c.Close()
			}
		}()
		c, err := net.Dial("tcp", ts.Getenv("LAB")) // it does catch
		ts.Check(err)
		c.Close()
		for t.n.Load() == 0 {
			runtimeGosched()
		}
	case "empty":
		t, ok := traps.Load(ts.Getenv("LAB"))
		if !ok || t.(*trap).n.Load() != 1 {
			ts.Fatalf("somebody has connected to the laboratory")
		}
	default:
		ts.Fatalf("trap set|empty")
	}
}

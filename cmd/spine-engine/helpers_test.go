package main

import (
	"strings"
	"sync"
	"time"
)

// labs are the peers that scripts have running, by address.
var labs sync.Map

func contains(s, part string) bool { return strings.Contains(s, part) }

// runtimeGosched lets a moment pass between two looks at another process.
func runtimeGosched() { <-time.After(20 * time.Millisecond) }

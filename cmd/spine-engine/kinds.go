package main

import (
	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/adapters/httpio"
	"github.com/spine-engine/spine-engine/adapters/mailbox"
	"github.com/spine-engine/spine-engine/adapters/mllp"
)

// kinds are the wires this binary speaks, one line each.
func kinds() []adapters.Kind {
	return []adapters.Kind{
		mllp.Kind(),
		mailbox.Kind(),
		httpio.Kind(),
	}
}

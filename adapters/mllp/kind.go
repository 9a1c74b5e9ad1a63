package mllp

import (
	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/conf"
)

// Kind is the adapter kind "mllp" with both of its sides.
func Kind() adapters.Kind {
	return adapters.Kind{
		Name:        "mllp",
		Source:      func(n *conf.Node) adapters.SourceConfig { return readListen(n) },
		Destination: func(n *conf.Node) adapters.DestinationConfig { return readConnect(n) },
	}
}

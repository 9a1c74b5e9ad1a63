package httpio

import (
	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/conf"
)

// Kind is the adapter kind "http" with both of its sides.
func Kind() adapters.Kind {
	return adapters.Kind{
		Name:        "http",
		Source:      func(n *conf.Node) adapters.SourceConfig { return readListen(n) },
		Destination: func(n *conf.Node) adapters.DestinationConfig { return readRequest(n) },
	}
}

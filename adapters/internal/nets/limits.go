package nets

import (
	"fmt"
	"time"

	"github.com/spine-engine/spine-engine/internal/conf"
)

const (
	leastMaxMessage    = 1 << 10
	greatestMaxMessage = 2 << 30
)

// ReadMaxMessage reads max_message, bytes.
func ReadMaxMessage(n *conf.Node, def int64) int64 {
	size := n.Size(def)
	if size < leastMaxMessage || size > greatestMaxMessage {
		n.Errorf("write a size from 1KiB to 2GiB", "%q is out of place", n.Text())
		return def
	}
	return size
}

// ReadTimeout reads a length of time that cannot be switched off.
func ReadTimeout(n *conf.Node, def time.Duration) time.Duration {
	d := n.Duration(def)
	if d <= 0 {
		n.Errorf(fmt.Sprintf("write a length of time above 0; the default is %s", def), "%q would never let anything through", n.Text())
		return def
	}
	return d
}

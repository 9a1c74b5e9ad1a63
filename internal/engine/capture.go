package engine

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/message"
)

// captured is the code of a copy that shadow wrote to its folder.
const captured = "shadow"

// capture is the destination of a shadow: each copy becomes a file of its own.
//
//	<shadow>/<queue>/<place, 20 digits>-<key>-<message id>.msg
//
// A copy that comes again, after a crash, replaces its own file.
type capture struct{ dir string }

// newCapture makes the folder of a queue. A feed's own queue is named
// feed/destination, and so is its folder feed.destination.
func newCapture(dir, queue string) (adapters.Destination, error) {
	c := capture{filepath.Join(dir, safeName(queue))}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return nil, fmt.Errorf("folder of the shadow: %w", err)
	}
	return c, nil
}

// shadowDir is the folder of the shadow, "" when the engine is none.
func (e *Engine) shadowDir() string {
	if e.opts.Shadow == "" {
		return ""
	}
	return e.path(e.opts.Shadow)
}

// safeName keeps letters, digits and hyphens, and writes the rest as %XX, but for
// the one slash of a queue's name.
func safeName(queue string) string {
	feed, to, own := strings.Cut(queue, "/")
	name := strings.ReplaceAll(url.PathEscape(feed), ".", "%2E")
	if own {
		name += "." + strings.ReplaceAll(url.PathEscape(to), ".", "%2E")
	}
	return name
}

// Send writes the copy, under a temporary name first.
func (c capture) Send(_ context.Context, d *message.Delivery) (adapters.Reply, error) {
	path := filepath.Join(c.dir, fmt.Sprintf("%020d-%s-%s.msg", d.Pos, d.Key, d.Message))
	view, err := d.Body.View()
	if err != nil {
		return adapters.Reply{}, err
	}
	defer view.Close()
	f, err := os.OpenFile(path+".tmp", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return adapters.Reply{}, err
	}
	if _, err := view.WriteTo(f); err != nil {
		f.Close()
		return adapters.Reply{}, err
	}
	if err := f.Close(); err != nil {
		return adapters.Reply{}, err
	}
	return adapters.Reply{Code: captured}, os.Rename(path+".tmp", path)
}

package generate

import (
	"bytes"
	"fmt"
	"strings"
)

// Batch puts messages into one file of one batch (chapter 2, "Batch protocol"):
//
//	FHS|... BHS|... MSH|... ... BTS|<messages> FTS|<batches>
//
// The envelope is plain ASCII; the messages stay as they are.
func (g *Generator) Batch(msgs [][]byte) []byte {
	app, from, _ := strings.Cut(g.o.Sending, "^")
	toApp, to, _ := strings.Cut(g.o.Receiving, "^")
	var b bytes.Buffer
	id := fmt.Sprintf("GENBATCH%08d", g.messages)
	for _, header := range []string{"FHS", "BHS"} {
		fmt.Fprintf(&b, "%s|^~\\&|%s|%s|%s|%s|%s||||%s\r", header, app, from, toApp, to, stamp(g.now), id)
	}
	for _, m := range msgs {
		b.Write(m)
	}
	fmt.Fprintf(&b, "BTS|%d\rFTS|1\r", len(msgs))
	return b.Bytes()
}

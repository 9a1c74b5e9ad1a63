package generate

import (
	"bytes"
	"fmt"
	"strings"
)

// PDF makes a document of one page with a line of text for each argument (ASCII).
// Its cross-reference table holds the true offset of every object, so readers open
// it without repairing it:
//
//	xref
//	0 6
//	0000000000 65535 f␍␊      20 bytes an entry, line end included
//	0000000009 00000 n␍␊
func PDF(lines ...string) []byte {
	page := content(lines)
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", len(page), page),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
	}
	var b bytes.Buffer
	b.WriteString("%PDF-1.4\n")
	offsets := make([]int, len(objects))
	for i, o := range objects {
		offsets[i] = b.Len()
		fmt.Fprintf(&b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	xref := b.Len()
	fmt.Fprintf(&b, "xref\n0 %d\n0000000000 65535 f\r\n", len(objects)+1)
	for _, at := range offsets {
		fmt.Fprintf(&b, "%010d 00000 n\r\n", at)
	}
	fmt.Fprintf(&b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, xref)
	return b.Bytes()
}

// content draws the lines from the top of an A4 page down.
func content(lines []string) string {
	escape := strings.NewReplacer(`\`, `\\`, `(`, `\(`, `)`, `\)`)
	var b strings.Builder
	b.WriteString("BT /F1 14 Tf 72 770 Td 20 TL")
	for _, l := range lines {
		fmt.Fprintf(&b, " (%s) Tj T*", escape.Replace(l))
	}
	b.WriteString(" ET")
	return b.String()
}

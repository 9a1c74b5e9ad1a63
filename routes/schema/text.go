package schema

import (
	"regexp"
	"strings"

	"github.com/spine-engine/spine-engine/transforms"
)

var link = regexp.MustCompile(`\[([^\]]*)\]\([^)]*\)`)

// unlinked is a text of the reference where there are no links.
func unlinked(s string) string { return strings.ReplaceAll(link.ReplaceAllString(s, "$1"), "`", "") }

// docOf is what is said of a key; of a step, what the vocabulary says.
func docOf(f *Field) string {
	if f.Doc != "" {
		return f.Doc
	}
	for _, w := range transforms.Vocabulary() {
		if w.Name == f.Key {
			return w.Does + ": " + w.Shape
		}
	}
	return ""
}

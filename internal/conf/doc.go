// Package conf reads configuration as positioned nodes: every value knows its
// file, line and column, and every fault becomes a Problem, collected so that all
// of them are reported at once. It holds the YAML traps (tags, anchors, aliases,
// null, duplicate keys) and the rule that a scalar means the text that was
// written (0123, NO, 1E5 are text). ${env:}, ${value:} and ${file:} are resolved
// here and nowhere else.
//
// It knows no key of any file: each room decodes its own nodes. It never opens a
// file beyond the fs.FS handed in. Anything above it may import it.
package conf

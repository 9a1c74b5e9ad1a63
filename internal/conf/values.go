package conf

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
)

// interpolate replaces ${env:NAME}, ${env:NAME:-default}, ${value:name}, ${file:path}.
func (n *Node) interpolate(s string) string {
	var b strings.Builder
	for {
		i := strings.Index(s, "${")
		if i < 0 {
			b.WriteString(s)
			return b.String()
		}
		j := strings.IndexByte(s[i:], '}')
		if j < 0 {
			n.Errorf("close it with }", "${ is not closed")
			return ""
		}
		b.WriteString(s[:i])
		b.WriteString(n.resolve(s[i+2 : i+j]))
		s = s[i+j+1:]
	}
}

func (n *Node) resolve(ref string) string {
	kind, name, ok := strings.Cut(ref, ":")
	if !ok || !contains([]string{"env", "value", "file"}, kind) {
		n.Errorf("write ${env:NAME}, ${env:NAME:-default}, ${value:name} or ${file:path}", "${%s} is not known", ref)
		return ""
	}
	name, def, hasDef := strings.Cut(name, ":-")
	if n.ctx.Resolve == nil {
		return def
	}
	v, err := n.ctx.Resolve(kind, name)
	if err == nil {
		return v
	}
	if hasDef && kind == "env" {
		return def
	}
	n.Errorf("", "${%s}: %v", ref, err)
	n.ctx.Problems.trap(n) // what it would have been is not known
	return ""
}

func parseDuration(s string) (time.Duration, bool) {
	for unit, d := range map[string]time.Duration{"d": 24 * time.Hour, "w": 7 * 24 * time.Hour} {
		if num, ok := strings.CutSuffix(s, unit); ok {
			v, err := strconv.Atoi(num)
			return time.Duration(v) * d, err == nil && v >= 0 && v < 36500
		}
	}
	d, err := time.ParseDuration(s)
	return d, err == nil && d >= 0
}

var sizeUnits = []struct {
	suffix string
	bytes  int64
}{{"KiB", 1 << 10}, {"MiB", 1 << 20}, {"GiB", 1 << 30}, {"TiB", 1 << 40}, {"kB", 1e3}, {"MB", 1e6}, {"GB", 1e9}, {"TB", 1e12}, {"B", 1}, {"", 1}}

func parseSize(s string) (int64, bool) {
	for _, u := range sizeUnits {
		if num, ok := strings.CutSuffix(s, u.suffix); ok {
			v, err := strconv.ParseInt(strings.TrimSpace(num), 10, 64)
			return v * u.bytes, err == nil && v >= 0 && v <= (1<<62)/u.bytes
		}
	}
	return 0, false
}

func contains(list []string, s string) bool { return slices.Contains(list, s) }

// Suggest gives the known name that s was probably meant to be, or "".
func Suggest(s string, known []string) string {
	best, bestDistance := "", max(1, (len(s)+2)/3)+1
	for _, k := range known {
		if d := distance(strings.ToLower(s), strings.ToLower(k)); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

func suggestion(s string, known []string) string {
	if k := Suggest(s, known); k != "" {
		return fmt.Sprintf("did you mean %q?", k)
	}
	if len(known) > 0 && len(known) <= 12 {
		return "known here: " + strings.Join(known, ", ")
	}
	return ""
}

// distance is the number of insertions, deletions, replacements and swaps of
// neighbours between a and b.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range rows[0] {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			rows[i][j] = min(rows[i-1][j]+1, rows[i][j-1]+1, rows[i-1][j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				rows[i][j] = min(rows[i][j], rows[i-2][j-2]+1)
			}
		}
	}
	return rows[len(a)][len(b)]
}

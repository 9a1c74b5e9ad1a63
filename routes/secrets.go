package routes

import (
	"maps"
	"slices"
	"strings"

	"github.com/spine-engine/spine-engine/internal/conf"
)

// readSecrets reads the named secrets that expressions may key digests with. A
// secret comes from outside: one that stands in a file of the project is known
// to everybody who may read the project.
func (l *loader) readSecrets(n *conf.Node) {
	l.secrets = map[string]string{}
	for _, f := range n.Fields() {
		if !checkName(f.Name, "secret", f.Key) {
			continue
		}
		if src := f.Node.Source(); !strings.HasPrefix(src, "${file:") && !strings.HasPrefix(src, "${env:") || strings.Contains(src, ":-") {
			f.Node.Errorf(`write "${file:secrets/`+f.Key+`}" or "${env:NAME}"`, "a secret does not stand in the project")
		} else if l.secrets[f.Key] = f.Node.Text(); len(l.secrets[f.Key]) < 16 {
			f.Node.Errorf("make one of 32 random bytes", "the secret %q has fewer than 16 bytes", f.Key)
		}
		if l.secrets[f.Key] == "" {
			l.secrets[f.Key] = "unknown" // so that its problem is not told again where it is used
		}
	}
}

// secret answers the names of secrets in expressions.
func (l *loader) secret(name string) (value string, ok bool, known []string) {
	value, ok = l.secrets[name]
	return value, ok, slices.Sorted(maps.Keys(l.secrets))
}

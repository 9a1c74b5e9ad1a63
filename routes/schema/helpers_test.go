package schema_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"io/fs"
	"math/big"
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/rogpeppe/go-internal/txtar"
	"github.com/santhosh-tekuri/jsonschema/v6"
	yaml "go.yaml.in/yaml/v4"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/adapters/httpio"
	"github.com/spine-engine/spine-engine/adapters/mailbox"
	"github.com/spine-engine/spine-engine/adapters/mllp"
	"github.com/spine-engine/spine-engine/routes"
	"github.com/spine-engine/spine-engine/routes/schema"
)

const root = "../../"

// project is a project folder.
type project struct {
	name string
	fs   fs.FS
}

// projects are all that the repository has.
func projects(t testing.TB) []project {
	t.Helper()
	out := []project{everything(t)}
	for _, pattern := range []string{"examples/*/spine.yaml", "cmd/spine-engine/starter/spine.yaml", "testdata/ten-feeds/*/spine.yaml"} {
		found, err := filepath.Glob(root + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			dir := filepath.Dir(f)
			out = append(out, project{strings.TrimPrefix(dir, root), os.DirFS(dir)})
		}
	}
	return append(out, checked(t)...)
}

// everything is a project that uses every key. Its certificate is made here.
func everything(t testing.TB) project {
	t.Helper()
	dir, m := os.DirFS("testdata/everything"), fstest.MapFS{}
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := fs.ReadFile(dir, name)
		m[name] = &fstest.MapFile{Data: b}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	cert, key := certificate(t)
	m["tls/cert.pem"], m["tls/key.pem"] = &fstest.MapFile{Data: cert}, &fstest.MapFile{Data: key}
	return project{"routes/schema/testdata/everything", m}
}

func certificate(t testing.TB) (cert, key []byte) {
	t.Helper()
	k, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, &k.PublicKey, k)
	if err != nil {
		t.Fatal(err)
	}
	secret, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret})
}

// checked are the projects of routes/testdata/check, most of them broken.
func checked(t testing.TB) []project {
	t.Helper()
	base, err := txtar.ParseFile(root + "routes/testdata/check/base.txtar")
	if err != nil {
		t.Fatal(err)
	}
	found, err := filepath.Glob(root + "routes/testdata/check/*.txtar")
	if err != nil || len(found) < 60 {
		t.Fatalf("%d broken projects: %v", len(found), err)
	}
	var out []project
	for _, f := range found {
		ar, err := txtar.ParseFile(f)
		if err != nil {
			t.Fatal(err)
		}
		m := fstest.MapFS{}
		for _, x := range append(base.Files, ar.Files...) {
			m[x.Name] = &fstest.MapFile{Data: x.Data}
			if string(x.Data) == "absent\n" {
				delete(m, x.Name)
			}
		}
		delete(m, "problems")
		out = append(out, project{"routes/testdata/check/" + strings.TrimSuffix(filepath.Base(f), ".txtar"), m})
	}
	return out
}

func kinds() []adapters.Kind {
	return []adapters.Kind{mllp.Kind(), mailbox.Kind(), httpio.Kind()}
}

func (p project) load(seen func(string, []string)) (*routes.Plan, []routes.Problem) {
	return routes.Load(p.fs, routes.LoadOptions{Kinds: kinds(), Secrets: p.fs, Seen: seen, Env: func(string) (string, bool) { return "0123456789abcdef0123456789abcdef", true }})
}

// files are the files of a project that have a schema, with its name.
func (p project) files(t testing.TB) map[string]string {
	t.Helper()
	out := map[string]string{}
	for pattern, name := range map[string]string{"spine.yaml": "spine", "feeds/*.yaml": "feed", "values/*.yaml": "values"} {
		found, err := fs.Glob(p.fs, pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			out[f] = name
		}
	}
	return out
}

func (p project) read(t testing.TB, name string) []byte {
	t.Helper()
	b, err := fs.ReadFile(p.fs, path.Clean(name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// compiled gives the schemas, by name.
func compiled(t testing.TB) map[string]*jsonschema.Schema {
	t.Helper()
	out := map[string]*jsonschema.Schema{}
	for _, name := range schema.Names() {
		b, err := schema.JSON(name)
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(b))
		if err != nil {
			t.Fatal(err)
		}
		c := jsonschema.NewCompiler()
		if err := c.AddResource(name+".json", doc); err != nil {
			t.Fatal(err)
		}
		if out[name], err = c.Compile(name + ".json"); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// instance is what an editor makes of a YAML file: the scalars as YAML reads them.
func instance(data []byte) (any, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil || len(doc.Content) == 0 {
		return nil, err
	}
	return value(doc.Content[0])
}

func value(n *yaml.Node) (any, error) {
	switch n.Kind {
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			v, err := value(n.Content[i+1])
			if err != nil {
				return nil, err
			}
			m[n.Content[i].Value] = v
		}
		return m, nil
	case yaml.SequenceNode:
		s := []any{}
		for _, c := range n.Content {
			v, err := value(c)
			if err != nil {
				return nil, err
			}
			s = append(s, v)
		}
		return s, nil
	}
	var v any
	if err := n.Decode(&v); err != nil {
		return n.Value, nil // a tag of its own, or an alias
	}
	switch v.(type) {
	case nil, string, bool:
		return v, nil
	case int, int64, uint64, float64:
		b, err := json.Marshal(v)
		if err != nil {
			return n.Value, nil // .inf
		}
		return json.Number(b), nil
	}
	return n.Value, nil // dates
}

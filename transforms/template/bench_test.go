package template_test

import (
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/hl7"
	"github.com/spine-engine/spine-engine/transforms"
	"github.com/spine-engine/spine-engine/transforms/hl7doc"
	"github.com/spine-engine/spine-engine/transforms/template"
)

// BenchmarkRender makes an ER7 message of a hundred results.
func BenchmarkRender(b *testing.B) {
	d, err := hl7doc.Parse([]byte(oru+strings.Repeat("OBX|9|ST|C||a value of some length\r", 97)), hl7.Options{UseMSH18: true})
	if err != nil {
		b.Fatal(err)
	}
	tp := parse(b, template.HL7, "MSH|^~\\&|A|B|C|D|{{ MSH-7 }}\nPID|1||{{ PID-3.1 }}\n{{each OBX(*) as o}}\nOBX|{{ o.index }}|{{ o-2 }}|{{ o-3 }}||{{ o-5 }}\n{{end}}\n")
	out, err := tp.Render(&transforms.Input{Doc: d})
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(out)))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := tp.Render(&transforms.Input{Doc: d}); err != nil {
			b.Fatal(err)
		}
	}
}

package feedtest

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"testing/fstest"
)

// manyTests makes a project of one feed with n tests full of failures: retries,
// silence, given-up copies, lanes of many patients.
func manyTests(tb testing.TB, n int) fstest.MapFS {
	ar := readArchive(tb, "testdata/base.txtar")
	fsys := fstest.MapFS{}
	for _, f := range ar.Files {
		fsys[f.Name] = &fstest.MapFile{Data: f.Data}
	}
	feed, _, _ := strings.Cut(string(fsys["feeds/f.yaml"].Data), "tests:\n")
	feed += "tests:\n"
	for i := range n {
		feed += fmt.Sprintf(`  - name: number %d
    send: { to: in, files: [m/1.hl7, m/2.hl7, m/batch.hl7], every: %dm }
    peers:
      epr: [ { nothing: true, times: %d }, { wrong_id: AA }, { close: true }, { wait: 31s, reply: AA }, AA ]
      box: [ { refuse: true, times: %d } ]
    expect: { ack: AA, dead_lettered: { box: 4 }, arrived: { epr: [] } }
`, i, i%7, 5+i%40, 1000)
	}
	fsys["feeds/f.yaml"] = &fstest.MapFile{Data: []byte(feed)}
	return fsys
}

// TestSameEveryTime: a hundred runs of a project give one report, byte for byte.
func TestSameEveryTime(t *testing.T) {
	plan := load(t, manyTests(t, 20))
	var first string
	for i := range 100 {
		r := Run(plan, Options{})
		var junit bytes.Buffer
		if err := r.WriteJUnit(&junit); err != nil {
			t.Fatal(err)
		}
		got := printed(t, r) + junit.String()
		if i == 0 {
			first = got
			if !strings.Contains(got, "20 tests, 20 failed") || !strings.Contains(got, "expected arrivals") || strings.Contains(got, "dead_lettered") {
				t.Fatalf("the tests do not fail as they should, so the comparison would show little:\n%s", got)
			}
		} else if got != first {
			t.Fatalf("run %d differs", i+1)
		}
	}
}

// BenchmarkTests is 200 tests with retries and timeouts, over simulated hours.
func BenchmarkTests(b *testing.B) {
	plan := load(b, manyTests(b, 200))
	for b.Loop() {
		if run, _, _ := Run(plan, Options{}).Counts(); run != 200 {
			b.Fatalf("%d tests were run", run)
		}
	}
}

package xmldoc

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/spine-engine/spine-engine/internal/message"
)

// Many edits in a row, on clones of clones: the tree stays what its bytes say,
// whatever way it came about, and no edit reaches the document it was cloned from.
func TestEditsInARow(t *testing.T) {
	const seed = 11
	r := rand.New(rand.NewPCG(seed, seed))
	paths := []string{
		"/v:Batch/v:Patient[1]/v:Id", "/v:Batch/v:Patient[last()]/v:Result[1]/v:Value", "/v:Batch/@id", "/v:Batch/@v:x", "//v:Code", "//v:Result[2]", "//v:Patient[2]",
		"/v:Batch/v:New/v:Deep/v:Leaf", "/v:Batch/v:New/@at", "/v:Batch/v:Device", "//comment()", "//text()[1]", "/v:Batch/v:New", "/v:Batch/plain", "/v:Batch/plain/@k", "p/v:Id", "p/@seen", "r", "//@*[1]",
	}
	texts := []string{"", "x", "<&>'\"]]>", " \r\n\t ", "é€"}
	raws := []string{"", "t", "<v:a/>", "<b xmlns='u' k='1'><c/>t</b>x<!-- c -->", "<v:Deep><v:Leaf>1</v:Leaf></v:Deep>", "<![CDATA[<]]>&#13;"}
	pick := func(list []string) string { return list[r.IntN(len(list))] }
	for range 300 {
		d := parse(t, batch)
		items, err := d.Items(sel(t, "/v:Batch/v:Patient"))
		if err != nil {
			t.Fatal(err)
		}
		d.Bind(0, items[r.IntN(2)], 1)
		var done []string
		for range 12 {
			before := string(d.Bytes())
			base := d
			d = d.Clone().(*Doc)
			at, other := pick(paths), pick(paths)
			var err error
			what := r.IntN(9)
			switch what {
			case 0, 1, 2:
				err = d.Set(sel(t, at), pick(texts))
			case 3:
				err = d.SetRaw(sel(t, at), pick(raws))
			case 4:
				err = d.SetNull(sel(t, at))
			case 5:
				_, err = d.Remove(sel(t, at))
			case 6:
				err = d.Copy(base, sel(t, at), sel(t, other))
			case 7:
				err = d.Create(sel(t, `/v:Batch/v:Kin[@k="`+pick([]string{"1", "2"})+`"]/v:Leaf`))
			case 8:
				if r.IntN(6) == 0 {
					err = d.Keep([]message.Selector{sel(t, at), sel(t, other)})
				}
			}
			done = append(done, string(rune('0'+what))+" "+at+" "+other)
			if string(base.Bytes()) != before {
				t.Fatalf("an edit reached what it was cloned from: %v", done)
			}
			if err != nil {
				continue
			}
			again, err := Parse(d.Bytes(), Options{})
			if err != nil {
				t.Fatalf("%v: %v\n%s", done, err, d.Bytes())
			}
			if a, b := shape(again), shape(d); a != b {
				t.Fatalf("%v:\n%s\n%s\n%s", done, a, b, d.Bytes())
			}
			for _, x := range []string{"//*", "//@* | //*", "//v:Code/preceding::*", "//*/..", "//*[last()]/following::*"} {
				if a, b := again.List(sel(t, x)), d.List(sel(t, x)); !slices.Equal(a, b) {
					t.Fatalf("%v: %s:\n%q\n%q", done, x, a, b)
				}
			}
			if n := len(d.Bytes()); n != d.Size() {
				t.Fatalf("size %d, %d bytes", d.Size(), n)
			}
		}
	}
}

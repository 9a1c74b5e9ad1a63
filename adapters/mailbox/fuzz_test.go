package mailbox

import (
	"bytes"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spine-engine/spine-engine/internal/message"
)

// What is decoded says the same when it is encoded again, and no part of a
// manifest passes for a whole one.
func FuzzManifest(f *testing.F) {
	b := &batch{id: "x", entries: []entry{
		{key: message.Key{Seq: 1}, msg: testID(1), name: "a.hl7"},
		{key: message.Key{Seq: 1<<64 - 1, N: 7}, msg: testID(2), size: 1 << 40, name: "ward \"7\"\u2028.txt"},
	}}
	f.Add(b.encode())
	f.Add((&batch{id: "x"}).encode())
	f.Add([]byte("end 0 00000000\n"))
	f.Add([]byte(manifestHead))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := decodeManifest("x", data)
		if err != nil {
			return
		}
		again, err := decodeManifest("x", got.encode())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(got, again, cmp.AllowUnexported(batch{}, entry{})); diff != "" {
			t.Fatal(diff)
		}
	})
}

func TestPartOfAManifestIsTorn(t *testing.T) {
	b := &batch{id: "x"}
	for i := range 20 {
		b.entries = append(b.entries, entry{key: message.Key{Seq: uint64(i)}, msg: testID(uint64(i)), size: 9, name: "end 2 00000000\n"})
	}
	whole := b.encode()
	for n := range whole {
		if got, err := decodeManifest("x", whole[:n]); err == nil && n < len(whole)-1 {
			t.Fatalf("%d of %d bytes pass for %d copies", n, len(whole), len(got.entries))
		}
		flipped := bytes.Clone(whole)
		flipped[n] ^= 1
		if _, err := decodeManifest("x", flipped); err == nil {
			t.Fatalf("a flipped bit in byte %d is not noticed", n)
		}
	}
}

// The name of a claimed file tells a restart what it was made of.
func FuzzClaimName(f *testing.F) {
	f.Add("01ARZ3NDEKTSV4RRFFQ69G5FAV.1.8d2f00c3~adt-0017.hl7")
	f.Add("01ARZ3NDEKTSV4RRFFQ69G5FAV.3.8d2f00c3~~a.b~c")
	f.Add("~~..")
	f.Add("01ARZ3NDEKTSV4RRFFQ69G5FAV.1.8d2f00c3~../x")
	f.Fuzz(func(t *testing.T, file string) {
		c, ok := parseClaim(file)
		if !ok {
			return
		}
		if c.file() != file {
			t.Fatalf("%q was read as %q", file, c.file())
		}
		if strings.ContainsRune(c.kept(), '/') {
			t.Fatal("the name leads out of the folder")
		}
	})
}

// No name of a copy leads out of the folder, is hidden, or is longer than a
// file system takes.
func FuzzFileName(f *testing.F) {
	f.Add("x.hl7", uint64(1), uint16(0), 3, false)
	f.Add("", uint64(1<<63), uint16(65535), 1000, true)
	f.Add("../../etc", uint64(1), uint16(0), 0, false)
	f.Fuzz(func(t *testing.T, name string, seq uint64, n uint16, attempt int, xml bool) {
		if name != "" && checkName(name) != nil {
			return
		}
		d := &message.Delivery{Key: message.Key{Seq: seq, N: n}, Message: testID(seq), Name: name}
		got := fileName(d, xml, max(0, attempt%maxAttempts))
		if got == "" || got[0] == '.' || len(got) > 255 || strings.ContainsAny(got, "/\\\x00\n") {
			t.Fatalf("%q", got)
		}
	})
}

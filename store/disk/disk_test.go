package disk

import (
	"testing"
	"time"

	"github.com/rs/zerolog"

	"github.com/spine-engine/spine-engine/store"
	"github.com/spine-engine/spine-engine/store/storetest"
)

func TestContract(t *testing.T) {
	for _, c := range []struct {
		name string
		o    Options
	}{
		{"as it runs", Options{}},
		{"small segments and a view that is always written", Options{SegmentSize: 8 << 10, ViewEvery: 3}},
		{"a view that is never written by itself", Options{SegmentSize: 64 << 10, ViewInterval: time.Hour, ViewEvery: 1 << 30}},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			storetest.Run(t, func(t *testing.T, dir string, obs store.Observer) storetest.Backend {
				o := c.o
				o.Observer, o.MinFree = obs, -1
				o.Log = zerolog.New(zerolog.NewTestWriter(t)).Level(zerolog.WarnLevel)
				o.Fatal = func(err error) { t.Errorf("fatal: %v", err) }
				s, err := Open(dir, o)
				if err != nil {
					t.Fatal(err)
				}
				return s
			})
		})
	}
}

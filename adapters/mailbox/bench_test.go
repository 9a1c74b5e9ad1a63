package mailbox

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/message"
)

const (
	benchBatch   = 512
	benchWorkers = 16
)

func benchBody() []byte {
	return bytes.Repeat([]byte("NTE|1||0123456789abcdef0123456789\r"), 31)[:1024]
}

// BenchmarkFileFloor is what a batch of files costs without any promise about
// crashes: create, fsync and rename each, one sync of the folder.
func BenchmarkFileFloor(b *testing.B) {
	f, err := openFolder(b.TempDir(), privateOut)
	if err != nil {
		b.Fatal(err)
	}
	defer f.close()
	body := benchBody()
	for n := 0; b.Loop(); n++ {
		var next atomic.Int64
		var wg sync.WaitGroup
		for range benchWorkers {
			wg.Go(func() {
				for i := next.Add(1) - 1; i < benchBatch; i = next.Add(1) - 1 {
					if err := floorFile(f, fmt.Sprintf("%d.%d", n, i), body); err != nil {
						b.Error(err)
					}
				}
			})
		}
		wg.Wait()
		if err := fsync(f.dir); err != nil {
			b.Fatal(err)
		}
		if err := fsync(f.priv); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*benchBatch/b.Elapsed().Seconds(), "files/s")
}

func floorFile(f *folder, name string, body []byte) error {
	fd, err := openAt(f.priv, name, unix.O_CREAT|unix.O_EXCL|unix.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if err := writeAll(fd, body); err != nil {
		return err
	}
	if err := fsync(fd); err != nil {
		return err
	}
	return moveNew(f.priv, name, f.dir, name+".hl7", false)
}

// BenchmarkSendBatch is the same with the promise; compare it in the same run.
func BenchmarkSendBatch(b *testing.B) {
	d := openDest(b, b.TempDir(), nil)
	body := message.InMemory(benchBody())
	for n := 0; b.Loop(); n++ {
		ds := make([]*message.Delivery, benchBatch)
		for i := range ds {
			ds[i] = &message.Delivery{Key: message.Key{Seq: uint64(n*benchBatch + i + 1)}, Message: testID(uint64(n*benchBatch + i)), Body: body}
		}
		results, settle := d.SendBatch(context.Background(), ds)
		if len(results) != benchBatch || results[benchBatch-1] != (adapters.Result{Reply: adapters.Reply{Code: adapters.Written}}) {
			b.Fatal(len(results), results[len(results)-1].Err)
		}
		if err := settle(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*benchBatch/b.Elapsed().Seconds(), "files/s")
}

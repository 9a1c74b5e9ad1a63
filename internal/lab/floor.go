package main

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"flag"
	"fmt"
	"hash/crc32"
	"io"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// The floors say what the machine gives to anybody who does the bare minimum with
// the same promise. They decide nothing, parse nothing but the control id, keep no
// queue, no index and no history.
//
//	log floor    frame -> | one writer: write all that has queued up, one fdatasync | -> constant ACK
//	file floor   16 workers: create, write, fsync, rename; one folder sync per 512 files

// logFloorMain is an MLLP server that makes each body durable in one file before
// it acknowledges.
func logFloorMain(args []string) error {
	f := flag.NewFlagSet("_logfloor", flag.ContinueOnError)
	listen := f.String("listen", "", "address")
	path := f.String("file", "", "file to append to")
	if err := f.Parse(args); err != nil {
		return err
	}
	file, err := os.OpenFile(*path, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	l, err := net.Listen("tcp", *listen)
	if err != nil {
		return err
	}
	queue := make(chan *floorEntry, 1024)
	go floorWriter(file, queue)
	for {
		conn, err := l.Accept()
		if err != nil {
			return err
		}
		go floorConn(conn, queue)
	}
}

// floorEntry is one body on its way to the file.
type floorEntry struct {
	body []byte
	done chan error
}

// floorWriter is group commit: whatever queued up while the last sync ran goes
// out with one write and one sync.
func floorWriter(file *os.File, queue <-chan *floorEntry) {
	var buf []byte
	var group []*floorEntry
	for first := range queue {
		buf, group = appendEntry(buf[:0], first), append(group[:0], first)
		for more := true; more; {
			select {
			case e := <-queue:
				buf, group = appendEntry(buf, e), append(group, e)
			default:
				more = false
			}
		}
		_, err := file.Write(buf)
		if err == nil {
			err = syncData(file)
		}
		for _, e := range group {
			e.done <- err
		}
	}
}

// appendEntry frames a body: length (4 bytes), CRC32C (4 bytes), body.
func appendEntry(buf []byte, e *floorEntry) []byte {
	buf = binary.LittleEndian.AppendUint32(buf, uint32(len(e.body)))
	buf = binary.LittleEndian.AppendUint32(buf, crc32.Checksum(e.body, crc32.MakeTable(crc32.Castagnoli)))
	return append(buf, e.body...)
}

func floorConn(conn net.Conn, queue chan<- *floorEntry) {
	defer conn.Close()
	r := bufio.NewReaderSize(conn, 64<<10)
	e := &floorEntry{done: make(chan error, 1)}
	var out []byte
	for {
		frame, err := r.ReadSlice(0x1c) // floor messages are 1 kB: they fit
		if err != nil || len(frame) < 2 {
			return
		}
		e.body = append(e.body[:0], frame[1:len(frame)-1]...)
		if _, err := r.Discard(1); err != nil {
			return
		}
		queue <- e
		if err := <-e.done; err != nil {
			return
		}
		out = append(out[:0], "\x0bMSH|^~\\&|FLOOR|FLOOR|PAS|RXX|20261122080000||ACK^A01^ACK|1|P|2.5.1\rMSA|AA|"...)
		out = append(append(out, controlID(e.body)...), "\r\x1c\r"...)
		if _, err := conn.Write(out); err != nil {
			return
		}
	}
}

// fileFloorMain writes files into a folder for a while and prints how many and how
// long it took.
func fileFloorMain(args []string) error {
	f := flag.NewFlagSet("_filefloor", flag.ContinueOnError)
	dir := f.String("dir", "", "folder")
	length := f.Duration("for", 5*time.Second, "how long")
	size := f.Int("size", 1000, "bytes of a file")
	if err := f.Parse(args); err != nil {
		return err
	}
	fl, err := newFileFloor(*dir, *size)
	if err != nil {
		return err
	}
	began := time.Now()
	files := 0
	for time.Since(began) < *length {
		n, err := fl.batch(files)
		if err != nil {
			return err
		}
		files += n
	}
	_, err = fmt.Printf("%d %d\n", files, time.Since(began).Nanoseconds())
	return err
}

const (
	floorWorkers = 16
	floorBatch   = 512
)

// fileFloor writes batches of files.
type fileFloor struct {
	dir, private string
	folder       *os.File
	body         []byte
}

func newFileFloor(dir string, size int) (*fileFloor, error) {
	private := filepath.Join(dir, ".private")
	if err := os.MkdirAll(private, 0o755); err != nil {
		return nil, err
	}
	folder, err := os.Open(dir)
	if err != nil {
		return nil, err
	}
	return &fileFloor{dir: dir, private: private, folder: folder, body: bytes.Repeat([]byte("x"), size)}, nil
}

// batch writes one batch, beginning at file number from.
func (f *fileFloor) batch(from int) (int, error) {
	var wg sync.WaitGroup
	errs := make([]error, floorWorkers)
	for w := range floorWorkers {
		wg.Go(func() {
			for i := w; i < floorBatch && errs[w] == nil; i += floorWorkers {
				errs[w] = f.one(fmt.Sprintf("%010d", from+i))
			}
		})
	}
	wg.Wait()
	return floorBatch, errors.Join(append(errs, f.folder.Sync())...)
}

func (f *fileFloor) one(name string) error {
	tmp := filepath.Join(f.private, name)
	file, err := os.OpenFile(tmp, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o640)
	if err != nil {
		return err
	}
	n, err := file.Write(f.body)
	if err == nil && n < len(f.body) {
		err = io.ErrShortWrite
	}
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(tmp, filepath.Join(f.dir, name))
}

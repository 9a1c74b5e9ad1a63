package message

import (
	"crypto/sha256"
	"fmt"
	"io"
	"os"
)

// Body is a handle on the bytes of a message: its size and a way to view them.
// The bytes are in memory, in a file of the store, or composed of pieces of
// another body (an edited copy of a 25 MB message is its original with a new
// first segment, not 25 MB more). The zero Body is an empty message.
//
// A Body is a value; copying it copies no bytes. The bytes behind it never change.
type Body struct {
	size   int64
	mem    []byte
	file   *File
	base   *Body
	pieces []Piece
}

// File names a body that a store keeps in a file of its own.
type File struct {
	Path string            // as the store opened it
	Size int64             // bytes
	Sum  [sha256.Size]byte // SHA-256 of the bytes
}

// Piece is one run of a composed body: Literal when not nil, otherwise Length
// bytes of the base body from Offset.
type Piece struct {
	Offset, Length int64
	Literal        []byte
}

func (p Piece) size() int64 {
	if p.Literal != nil {
		return int64(len(p.Literal))
	}
	return p.Length
}

// InMemory makes a body of b, which must not be changed afterwards.
func InMemory(b []byte) Body { return Body{size: int64(len(b)), mem: b} }

// InFile makes a body of a file that never changes while the body is in use.
func InFile(f File) Body { return Body{size: f.Size, file: &f} }

// Compose makes a body of pieces over base. The base must be in memory or in a
// file, not itself composed; pieces must lie within it.
func Compose(base Body, pieces []Piece) Body {
	var n int64
	for _, p := range pieces {
		n += p.size()
	}
	return Body{size: n, base: &base, pieces: pieces}
}

// Size is the number of bytes.
func (b Body) Size() int64 { return b.size }

// Bytes returns the bytes of a body held in memory, and false for any other.
func (b Body) Bytes() ([]byte, bool) { return b.mem, b.file == nil && b.base == nil }

// File returns the file of a body kept in one, and false for any other.
func (b Body) File() (File, bool) {
	if b.file == nil {
		return File{}, false
	}
	return *b.file, true
}

// Pieces returns base and pieces of a composed body, and false for any other.
func (b Body) Pieces() (Body, []Piece, bool) {
	if b.base == nil {
		return Body{}, nil, false
	}
	return *b.base, b.pieces, true
}

// Footprint is how many bytes of ordinary memory the body holds by itself: what
// lies in files, and for a composed body what lies in its base, counts nothing.
func (b Body) Footprint() int64 {
	n := int64(len(b.mem))
	for _, p := range b.pieces {
		n += int64(len(p.Literal))
	}
	return n
}

// Sum is the SHA-256 of the bytes.
func (b Body) Sum() ([sha256.Size]byte, error) {
	if b.file != nil {
		return b.file.Sum, nil
	}
	v, err := b.View()
	if err != nil {
		return [sha256.Size]byte{}, err
	}
	defer v.Close()
	h := sha256.New()
	v.WriteTo(h) // a hash never fails
	return [sha256.Size]byte(h.Sum(nil)), nil
}

// View opens the body for reading. The caller must Close the view and must not
// use its runs afterwards. Viewing a body in memory costs nothing.
func (b Body) View() (View, error) {
	switch {
	case b.base != nil:
		return b.composedView()
	case b.file != nil:
		return mapFile(*b.file)
	default:
		return View{Runs: [][]byte{b.mem}}, nil
	}
}

func (b Body) composedView() (View, error) {
	base, err := b.base.View()
	if err != nil {
		return View{}, err
	}
	whole := base.Runs[0]
	runs := make([][]byte, 0, len(b.pieces))
	for _, p := range b.pieces {
		switch {
		case p.Literal != nil:
			runs = append(runs, p.Literal)
		case p.Offset < 0 || p.Length < 0 || p.Offset+p.Length > int64(len(whole)):
			base.Close()
			return View{}, fmt.Errorf("body piece %d+%d lies outside its base of %d bytes", p.Offset, p.Length, len(whole))
		default:
			runs = append(runs, whole[p.Offset:p.Offset+p.Length])
		}
	}
	return View{Runs: runs, close: base.close}, nil
}

// ReadAll returns the whole body as one new or shared slice that must not be
// changed. For bodies in files it copies; use View where that matters.
func (b Body) ReadAll() ([]byte, error) {
	if m, ok := b.Bytes(); ok {
		return m, nil
	}
	v, err := b.View()
	if err != nil {
		return nil, err
	}
	defer v.Close()
	out := make([]byte, 0, b.size)
	for _, r := range v.Runs {
		out = append(out, r...)
	}
	return out, nil
}

// View is an open body: its bytes in order, in one or more runs. The runs of a
// file are mapped, so they are the kernel's pages, not the engine's memory.
type View struct {
	Runs  [][]byte
	close func() error
}

// WriteTo writes all runs to w.
func (v View) WriteTo(w io.Writer) (int64, error) {
	var n int64
	for _, r := range v.Runs {
		m, err := w.Write(r)
		n += int64(m)
		if err != nil {
			return n, err
		}
	}
	return n, nil
}

// Close ends the view.
func (v View) Close() error {
	if v.close == nil {
		return nil
	}
	return v.close()
}

func mapFile(f File) (View, error) {
	fd, err := os.Open(f.Path)
	if err != nil {
		return View{}, fmt.Errorf("body file: %w", err)
	}
	defer fd.Close()
	st, err := fd.Stat()
	if err != nil {
		return View{}, fmt.Errorf("body file: %w", err)
	}
	if st.Size() != f.Size {
		return View{}, fmt.Errorf("body file %s has %d bytes where %d were stored; restore it from a backup", f.Path, st.Size(), f.Size)
	}
	return mapFd(fd, f.Size)
}

// The four ways a value reaches text. None shows content.

// String gives the size.
func (b Body) String() string { return fmt.Sprintf("body of %d bytes", b.size) }

// GoString gives the size.
func (b Body) GoString() string { return b.String() }

// Format gives the size for every verb and flag.
func (b Body) Format(s fmt.State, _ rune) { io.WriteString(s, b.String()) }

// MarshalJSON gives the size.
func (b Body) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, `{"size":%d}`, b.size), nil }

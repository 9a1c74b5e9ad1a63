package disk

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
)

// recordType says what a record tells.
type recordType byte

const (
	recAccepted recordType = iota + 1
	recFinished
	recNoted
	recAction
	recSwitch
)

const (
	frameHeader  = 24
	frameVersion = 1
	// maxRecord bounds one record. Bodies above the in-memory limit lie in
	// files, so only a fan-out to very many edited copies comes near it.
	maxRecord = 256 << 20
)

// frameMagic cannot occur in UTF-8 text: F5 is no UTF-8 byte.
var frameMagic = [4]byte{0xF5, 'S', 'E', 'J'}

// castagnoli is the polynomial of CRC32C, for which processors have an instruction.
var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// errDamaged: bytes of the log are not what was written.
var errDamaged = errors.New("damaged bytes in the log")

// errNewer: a whole record that this program does not know.
var errNewer = errors.New("the log was written by a newer program; run that one")

func checksum(b []byte) uint32 { return crc32.Checksum(b, castagnoli) }

// seal completes a frame whose payload stands behind frameHeader free bytes.
// sum is the payload's CRC32C.
func seal(b []byte, t recordType, seq uint64, sum uint32) {
	copy(b, frameMagic[:])
	b[4], b[5], b[6], b[7] = frameVersion, byte(t), 0, 0
	binary.LittleEndian.PutUint64(b[8:], seq)
	binary.LittleEndian.PutUint32(b[16:], uint32(len(b)-frameHeader))
	binary.LittleEndian.PutUint32(b[20:], crc32.Update(sum, castagnoli, b[:20]))
}

// frameHead is a decoded frame header.
type frameHead struct {
	typ                 recordType
	version, codec, key byte
	length              int // of the payload, bytes
	crc                 uint32
}

// parseHead reads the header of the frame that should stand at seq. It does not
// check the sum, which needs the payload.
func parseHead(b []byte, seq uint64) (frameHead, error) {
	if len(b) < frameHeader || [4]byte(b[:4]) != frameMagic {
		return frameHead{}, fmt.Errorf("%w: no record at offset %d", errDamaged, seq)
	}
	h := frameHead{version: b[4], typ: recordType(b[5]), codec: b[6], key: b[7], crc: binary.LittleEndian.Uint32(b[20:])}
	n := binary.LittleEndian.Uint32(b[16:])
	switch {
	case binary.LittleEndian.Uint64(b[8:]) != seq:
		return h, fmt.Errorf("%w: the record at offset %d belongs elsewhere", errDamaged, seq)
	case n > maxRecord:
		return h, fmt.Errorf("%w: the record at offset %d claims %d bytes", errDamaged, seq, n)
	}
	h.length = int(n)
	return h, nil
}

// verify checks a whole frame (header and payload) against its sum, and then
// that this program knows such frames.
func (h frameHead) verify(b []byte, seq uint64) error {
	sum := checksum(b[frameHeader : frameHeader+h.length])
	if crc32.Update(sum, castagnoli, b[:20]) != h.crc {
		return fmt.Errorf("%w: the checksum of the record at offset %d is wrong", errDamaged, seq)
	}
	if h.version != frameVersion || h.codec != 0 || h.key != 0 || h.typ < recAccepted || h.typ > recSwitch {
		return fmt.Errorf("%w: record at offset %d has version %d, type %d, codec %d, key %d", errNewer, seq, h.version, h.typ, h.codec, h.key)
	}
	return nil
}

// ignoreDamage is nil for damaged bytes, and any other error as it is.
func ignoreDamage(err error) error {
	if errors.Is(err, errDamaged) {
		return nil
	}
	return err
}

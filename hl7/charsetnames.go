package hl7

import (
	"strings"

	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

const iso2022JP = "ISO IR87"

// KnownCharset tells whether a name can be used in Options or Recode: those of
// HL7 table 0211 and their common spellings, in any case.
func KnownCharset(name string) bool {
	_, ok := lookup(name)
	return ok
}

// byName is lookup for a name that a person configured.
func byName(name string) (charset, error) {
	cs, ok := lookup(name)
	if !ok {
		return cs, &CharsetError{Name: name, Offset: -1, Text: "unknown character set"}
	}
	return cs, nil
}

// lookup finds a character set. CNS 11643 and UTF-32 have no decoder here and
// count as unknown.
func lookup(name string) (charset, bool) {
	key := squeeze(name)
	if cs, ok := latin(key); ok {
		return cs, true
	}
	switch key {
	case "ASCII", "USASCII", "ISOIR6", "ISO646":
		return charset{name: "ASCII", ascii: true}, true
	case "UTF8", "UNICODEUTF8", "UNICODE":
		return utf8Charset(), true
	case "UTF16", "UNICODEUTF16", "UTF16LE", "UTF16BE":
		enc := unicode.UTF16(unicode.BigEndian, unicode.UseBOM)
		if key == "UTF16LE" {
			enc = unicode.UTF16(unicode.LittleEndian, unicode.UseBOM)
		}
		return charset{name: "UNICODE UTF-16", enc: enc, wide: true, utf16: true}, true
	case "ISOIR14", "SHIFTJIS", "SJIS":
		return charset{name: "ISO IR14", enc: japanese.ShiftJIS, wide: true}, true
	case "ISOIR87", "ISOIR159", "JISX0202", "ISO2022JP", "JAS2020":
		return charset{name: iso2022JP, enc: japanese.ISO2022JP, wide: true}, true
	case "GB180302000", "GB18030":
		return charset{name: "GB 18030-2000", enc: simplifiedchinese.GB18030, wide: true}, true
	case "KSX1001", "EUCKR":
		// The second byte of a character is a letter or above 0x80, never a delimiter.
		return charset{name: "KS X 1001", enc: korean.EUCKR}, true
	case "BIG5":
		return charset{name: "BIG-5", enc: traditionalchinese.Big5, wide: true}, true
	}
	return charset{}, false
}

// lookupBytes is lookup for MSH-18: it makes no string of the usual names.
func lookupBytes(name []byte) (charset, bool) {
	switch string(name) {
	case "":
		return charset{}, false
	case "UNICODE UTF-8":
		return utf8Charset(), true
	case "8859/1":
		return charset{name: "8859/1", enc: charmap.ISO8859_1}, true
	}
	return lookup(string(name))
}

// latin finds the single-byte sets.
func latin(key string) (charset, bool) {
	switch key {
	case "WINDOWS1252", "CP1252":
		return charset{name: "windows-1252", enc: charmap.Windows1252}, true
	case "LATIN1":
		key = "88591"
	}
	part, ok := strings.CutPrefix(strings.TrimPrefix(key, "ISO"), "8859")
	if set := iso8859(part); ok && set != nil {
		return charset{name: "8859/" + part, enc: set}, true
	}
	return charset{}, false
}

func iso8859(part string) *charmap.Charmap {
	switch part {
	case "1":
		return charmap.ISO8859_1
	case "2":
		return charmap.ISO8859_2
	case "3":
		return charmap.ISO8859_3
	case "4":
		return charmap.ISO8859_4
	case "5":
		return charmap.ISO8859_5
	case "6":
		return charmap.ISO8859_6
	case "7":
		return charmap.ISO8859_7
	case "8":
		return charmap.ISO8859_8
	case "9":
		return charmap.ISO8859_9
	case "15":
		return charmap.ISO8859_15
	}
	return nil
}

// squeeze makes UNICODE UTF-8, unicode_utf8 and Unicode UTF8 alike.
func squeeze(name string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case ' ', '-', '_', '/', '.':
			return -1
		}
		if r >= 'a' && r <= 'z' {
			return r - 'a' + 'A'
		}
		return r
	}, name)
}

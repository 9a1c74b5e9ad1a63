package hl7

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/japanese"
	"golang.org/x/text/encoding/korean"
	"golang.org/x/text/encoding/simplifiedchinese"
	"golang.org/x/text/encoding/traditionalchinese"
	"golang.org/x/text/encoding/unicode"
)

// withCharset makes a message of UTF-8 text with MSH-18, encoded.
func withCharset(t testing.TB, msh18, text string, e encoding.Encoding) []byte {
	t.Helper()
	s := head + "||||||" + msh18 + "\rPID|1||7|z|" + text + "^Q\rZZZ|1\r"
	if e == nil {
		return []byte(s)
	}
	b, err := e.NewEncoder().Bytes([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCharsets(t *testing.T) {
	u16 := func(e unicode.Endianness, b unicode.BOMPolicy) encoding.Encoding { return unicode.UTF16(e, b) }
	tests := []struct {
		name, msh18, text string
		enc               encoding.Encoding
		opt               Options
		charset           string
		warned            bool
	}{
		{"utf-8 undeclared", "", "Müller", nil, Options{UseMSH18: true}, "UNICODE UTF-8", false},
		{"utf-8 declared", "UNICODE UTF-8", "Müller", nil, Options{UseMSH18: true}, "UNICODE UTF-8", false},
		{"utf-8 off table", "UTF-8", "Müller", nil, Options{UseMSH18: true}, "UNICODE UTF-8", false},
		{"latin-1", "8859/1", "Müller", charmap.ISO8859_1, Options{UseMSH18: true}, "8859/1", false},
		{"latin-1 by its ISO name", "ISO-8859-1", "Müller", charmap.ISO8859_1, Options{UseMSH18: true}, "8859/1", false},
		{"first repetition", "8859/1~UNICODE UTF-8", "Müller", charmap.ISO8859_1, Options{UseMSH18: true}, "8859/1", false},
		{"latin-9", "8859/15", "Œuf €", charmap.ISO8859_15, Options{UseMSH18: true}, "8859/15", false},
		{"greek", "8859/7", "Αθήνα", charmap.ISO8859_7, Options{UseMSH18: true}, "8859/7", false},
		{"cyrillic", "8859/5", "Привет", charmap.ISO8859_5, Options{UseMSH18: true}, "8859/5", false},
		{"undeclared and not UTF-8", "", "Müller", charmap.Windows1252, Options{UseMSH18: true}, "windows-1252", true},
		{"declared UTF-8 and is not", "UNICODE UTF-8", "Müller", charmap.Windows1252, Options{UseMSH18: true}, "windows-1252", true},
		{"declared ASCII and is UTF-8", "ASCII", "Müller", nil, Options{UseMSH18: true}, "UNICODE UTF-8", true},
		{"declared ASCII and is neither", "ASCII", "Müller", charmap.Windows1252, Options{UseMSH18: true}, "windows-1252", true},
		{"declared ASCII and is", "ASCII", "Muller", nil, Options{UseMSH18: true}, "ASCII", false},
		{"declared UTF-16 and is not", "UNICODE UTF-16", "Müller", nil, Options{UseMSH18: true}, "UNICODE UTF-8", true},
		{"otherwise", "", "Müller", charmap.ISO8859_1, Options{UseMSH18: true, Otherwise: "8859/1"}, "8859/1", false},
		{"otherwise, but declared", "8859/7", "Αθήνα", charmap.ISO8859_7, Options{UseMSH18: true, Otherwise: "8859/1"}, "8859/7", false},
		{"MSH-18 not asked", "8859/7", "Müller", nil, Options{}, "UNICODE UTF-8", false},
		{"override", "8859/7", "Müller", charmap.ISO8859_1, Options{UseMSH18: true, Override: "8859/1"}, "8859/1", false},
		{"override ASCII is not", "", "Müller", nil, Options{Override: "ASCII"}, "UNICODE UTF-8", true},
		{"unknown by option", "ISO IR 999", "Müller", nil, Options{UseMSH18: true, IgnoreUnknownCharset: true}, "UNICODE UTF-8", true},
		{"gb 18030", "GB 18030-2000", "张伟丂", simplifiedchinese.GB18030, Options{UseMSH18: true}, "GB 18030-2000", false},
		{"gb 18030 by otherwise", "", "张伟丂", simplifiedchinese.GB18030, Options{Otherwise: "GB18030"}, "GB 18030-2000", false},
		{"gb 18030 declared, utf-8 sent", "GB 18030-2000", "张伟", nil, Options{UseMSH18: true}, "UNICODE UTF-8", true},
		{"big-5", "BIG-5", "許功蓋", traditionalchinese.Big5, Options{UseMSH18: true}, "BIG-5", false},
		{"korean", "KS X 1001", "김철수", korean.EUCKR, Options{UseMSH18: true}, "KS X 1001", false},
		{"japanese", "ISO IR87", "山田太郎", japanese.ISO2022JP, Options{UseMSH18: true}, "ISO IR87", false},
		{"japanese as a later repetition", "~ISO IR87", "山田太郎", japanese.ISO2022JP, Options{UseMSH18: true}, "ISO IR87", false},
		{"utf-16 le", "UNICODE UTF-16", "Müller", u16(unicode.LittleEndian, unicode.UseBOM), Options{}, "UNICODE UTF-16", false},
		{"utf-16 be", "", "Müller", u16(unicode.BigEndian, unicode.UseBOM), Options{}, "UNICODE UTF-16", false},
		{"utf-16 le without mark", "", "Müller", u16(unicode.LittleEndian, unicode.IgnoreBOM), Options{}, "UNICODE UTF-16", false},
		{"utf-16 be without mark", "", "Müller", u16(unicode.BigEndian, unicode.IgnoreBOM), Options{}, "UNICODE UTF-16", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			in := withCharset(t, tt.msh18, tt.text, tt.enc)
			m, err := ParseWith(in, tt.opt)
			if err != nil {
				t.Fatal(err)
			}
			if m.Charset() != tt.charset || (len(m.Warnings()) > 0) != tt.warned {
				t.Errorf("charset %s, warnings %v", m.Charset(), m.Warnings())
			}
			if got := m.Get(MustPath("PID-5.1")); got != tt.text || m.Get(MustPath("PID-5.2")) != "Q" {
				t.Errorf("got %q, want %q", got, tt.text)
			}
			if !bytes.Equal(m.Bytes(), in) || spans(m) != "o0+"+itoa(int64(len(in))) {
				t.Error("unedited bytes differ")
			}
			set(t, m, "PID-6", tt.text)
			again, err := ParseWith(m.Bytes(), tt.opt)
			if err != nil {
				t.Fatal(err)
			}
			if again.Get(MustPath("PID-6")) != tt.text || again.Get(MustPath("PID-5.1")) != tt.text || again.Len() != 3 {
				t.Errorf("after an edit: %q", again.Get(MustPath("PID-6")))
			}
			if len(m.Bytes()) != m.Size() {
				t.Errorf("size %d, %d bytes", m.Size(), len(m.Bytes()))
			}
		})
	}
}

func TestUnknownCharset(t *testing.T) {
	in := withCharset(t, "KLINGON", "x", nil)
	var ce *CharsetError
	if _, err := Parse(in); !errors.As(err, &ce) || ce.Name != "KLINGON" || !bytes.HasPrefix(in[ce.Offset:], []byte("KLINGON")) || strings.Contains(err.Error(), "KLINGON") {
		t.Errorf("got %v", err)
	}
	for _, o := range []Options{{Override: "KLINGON"}, {Otherwise: "KLINGON"}} {
		if _, err := ParseWith([]byte(head), o); !errors.As(err, &ce) || !strings.Contains(err.Error(), "KLINGON") {
			t.Errorf("got %v", err)
		}
	}
	if KnownCharset("KLINGON") || !KnownCharset("unicode utf8") || !KnownCharset("iso8859-9") {
		t.Error("known charsets")
	}
}

func TestSetThatDoesNotFit(t *testing.T) {
	for _, tt := range []struct {
		msh18 string
		enc   encoding.Encoding
	}{{"8859/1", charmap.ISO8859_1}, {"ASCII", nil}, {"ISO IR87", japanese.ISO2022JP}} {
		text := "x"
		if tt.msh18 == "ISO IR87" {
			text = "山田"
		}
		m, err := Parse(withCharset(t, tt.msh18, text, tt.enc))
		if err != nil {
			t.Fatal(err)
		}
		before := string(m.Bytes())
		var ue *UnfitError
		err = m.Set(MustPath("PID-5"), "a\U0001F600b")
		if !errors.As(err, &ue) || ue.Selector != "PID-5" || ue.Characters != 1 || string(m.Bytes()) != before {
			t.Errorf("%s: %v", tt.msh18, err)
		}
	}
	if err := parse(t, head).Set(MustPath("PID-5"), "\xff"); err == nil {
		t.Error("invalid UTF-8 was set")
	}
}

func TestHexEscapesAreInTheMessagesCharset(t *testing.T) {
	m := parse(t, head+"||||||8859/7\rPID|1||\\XC1\\\xc1\r")
	if got := m.Get(MustPath("PID-3")); got != "ΑΑ" {
		t.Errorf("got %q", got)
	}
}

func TestRecode(t *testing.T) {
	latin := head + "||||||8859/1\rPID|1||\\XFC\\|M\xfcller~x^y\rZZZ|1\r"
	tests := []struct {
		name, in, to string
		u            Unfit
		want         string // "" = refused
	}{
		{"to utf-8", latin, "UNICODE UTF-8", Unfit{}, head + "||||||UNICODE UTF-8\rPID|1||ü|Müller~x^y\rZZZ|1\r"},
		{"to latin-1", head + "\rPID|1||Müller|\\XC3BC\\\r", "8859/1", Unfit{}, head + "||||||8859/1\rPID|1||M\xfcller|\xfc\r"},
		{"ascii stays", head + "\rPID|1||x\\X0D\\\r", "8859/1", Unfit{}, head + "\rPID|1||x\\X0D\\\r"},
		{"mark goes", "\xEF\xBB\xBF" + head + "\rPID|1||ü\r", "8859/1", Unfit{}, head + "||||||8859/1\rPID|1||\xfc\r"},
		{"refused", head + "\rPID|1||Łódź\r", "8859/1", Unfit{}, ""},
		{"replaced", head + "\rPID|1||Łódź\r", "8859/1", Unfit{Replace: "?"}, head + "||||||8859/1\rPID|1||?\xf3d?\r"},
		{"escaped", head + "\rPID|1||Łx\r", "ASCII", Unfit{Escape: true}, head + "\rPID|1||\\XC581\\x\r"},
		{"no such set", head, "KLINGON", Unfit{}, ""},
		{"no utf-16", head, "UNICODE UTF-16", Unfit{}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := parse(t, tt.in)
			err := m.Recode(tt.to, tt.u)
			if tt.want == "" {
				if err == nil || m.Edited() || strings.Contains(err.Error(), "Łó") {
					t.Errorf("got %v, edited %v", err, m.Edited())
				}
				return
			}
			if got := string(m.Bytes()); err != nil || got != tt.want {
				t.Errorf("got %q, %v, want %q", got, err, tt.want)
			}
		})
	}
}

func TestRecodeBetweenWideAndNarrow(t *testing.T) {
	in := withCharset(t, "GB 18030-2000", "张伟", simplifiedchinese.GB18030)
	m, err := Parse(in)
	if err != nil {
		t.Fatal(err)
	}
	want := string(withCharset(t, "UNICODE UTF-8", "张伟", nil))
	if err := m.Recode("UNICODE UTF-8", Unfit{}); err != nil || string(m.Bytes()) != want {
		t.Errorf("got %q, %v", m.Bytes(), err)
	}
	for s := range m.Spans {
		if s.Original {
			t.Error("a span refers to bytes in the old character set")
		}
	}
	if err := m.Recode("GB 18030-2000", Unfit{}); err != nil || !bytes.Equal(m.Bytes(), in) {
		t.Errorf("back: %q, %v", m.Bytes(), err)
	}
	n := parse(t, want)
	if err := n.Recode("GB 18030-2000", Unfit{}); err != nil || !bytes.Equal(n.Bytes(), in) {
		t.Errorf("from UTF-8: %q, %v", n.Bytes(), err)
	}
}

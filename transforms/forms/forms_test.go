package forms_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/spine-engine/spine-engine/transforms/forms"
)

func TestNHSNumber(t *testing.T) {
	for _, good := range strings.Fields(`9990000018 9990000026 9990000034 9990000042 9990000050 9990000069 9990000077 9990000085
		9990000093 9990000107 9990000115 9999999999 9000000009 9000000017 9449304424 4010232137 9434765919 0123456789`) {
		if d, ok := forms.NHSNumber(good); !ok || d != good {
			t.Errorf("%s: %q %v", good, d, ok)
		}
	}
	for _, c := range []struct{ name, in, want string }{
		{"groups of blanks", "999 000 0018", "9990000018"},
		{"groups of dashes", "999-000-0018", "9990000018"},
		{"dashes of a word processor", "999\u2013000\u20110018", "9990000018"},
		{"blanks around", "  9990000018\t", "9990000018"},
		{"no-break space", "999\u00a0000\u00a00018", "9990000018"},
		{"empty", "", ""},
		{"blank", "   ", ""},
		{"nine digits", "999000001", ""},
		{"eleven digits", "99900000188", ""},
		{"letters", "999000001O", ""},
		{"a wrong digit", "9990000019", ""},
		{"check digit 10", "9990000000", ""},
		{"a usual dummy", "1234567890", ""},
		{"all zero", "0000000000", ""},
		{"a leading dash", "-9990000018", ""},
		{"a trailing dash", "9990000018-", ""},
		{"Arabic digits", "\u0669990000018", ""},
		{"broken UTF-8", "999000\xff0018", ""},
	} {
		if d, ok := forms.NHSNumber(c.in); d != c.want || ok != (c.want != "") {
			t.Errorf("%s: %q %v", c.name, d, ok)
		}
	}
}

// Every single wrong digit and every swap of neighbours is caught.
func TestNHSNumberCatchesSlips(t *testing.T) {
	for n := 999000000; n < 999000300; n++ {
		nine := fmt.Sprint(n)
		c, ok := forms.NHSCheckDigit(nine)
		if !ok {
			continue
		}
		good := nine + string(c)
		for i := range good {
			for d := byte('0'); d <= '9'; d++ {
				if b := []byte(good); d != b[i] {
					b[i] = d
					if _, ok := forms.NHSNumber(string(b)); ok {
						t.Fatalf("%s passes for %s", b, good)
					}
				}
			}
			if i > 0 && good[i] != good[i-1] {
				b := []byte(good)
				b[i], b[i-1] = b[i-1], b[i]
				if _, ok := forms.NHSNumber(string(b)); ok {
					t.Fatalf("%s passes for %s", b, good)
				}
			}
		}
	}
}

func TestNHSCheckDigit(t *testing.T) {
	for nine, want := range map[string]string{"999000001": "8", "900000000": "9", "999000005": "0", "999000000": "", "999000014": "", "999000028": "",
		"999000031": "", "99900000": "", "9990000011": "", "99900000x": ""} {
		d, ok := forms.NHSCheckDigit(nine)
		if ok != (want != "") || ok && string(d) != want {
			t.Errorf("%s: %c %v, want %q", nine, d, ok, want)
		}
	}
	if s, ok := forms.FormatNHSNumber("9990000018"); !ok || s != "999 000 0018" {
		t.Errorf("%q", s)
	}
	if s, ok := forms.FormatNHSNumber("9990000019"); ok || s != "" {
		t.Errorf("%q", s)
	}
}

func TestODSCode(t *testing.T) {
	for _, good := range strings.Fields("RXX RXX01 TAF NX1 NX104 QWE X26 X2601 Y56 00C 7A1 7A1A4 101 FA123 8HK48 VL123 LSP01 A1B2C A81001 W91001 Y00001 A81001001") {
		if !forms.ODSCode(good) {
			t.Errorf("%s is a form of ODS codes", good)
		}
		if c, ok := forms.TidyODS("  " + strings.ToLower(good) + " "); !ok || c != good {
			t.Errorf("tidy %s: %q %v", good, c, ok)
		}
	}
	for _, bad := range []string{"", "R", "RX", "RXXX", "rxx", "RXX 1", "RX-", "A8100", "A810011", "I81001", "O81001", "Z81001", "A8100A", "ABCDE", "12345", "A81001A01", "RÄ", strings.Repeat("A", 99)} {
		if forms.ODSCode(bad) {
			t.Errorf("%q is no ODS code", bad)
		}
	}
	if c, ok := forms.TidyODS(" "); ok || c != "" {
		t.Errorf("%q", c)
	}
}

func TestUKPostcode(t *testing.T) {
	for in, want := range map[string]string{
		"LS1 4AP": "LS1 4AP", "ls14ap": "LS1 4AP", " sw1a  1aa ": "SW1A 1AA", "M1 1AE": "M1 1AE", "B33 8TH": "B33 8TH", "CR2 6XH": "CR2 6XH",
		"DN551PT": "DN55 1PT", "W1A0AX": "W1A 0AX", "EC1A 1BB": "EC1A 1BB", "GIR 0AA": "GIR 0AA", "ZZ99 3VZ": "ZZ99 3VZ", "ZZ993CZ": "ZZ99 3CZ", "FIQQ 1ZZ": "FIQQ 1ZZ",
		"": "", "LS1": "", "LS1 4A": "", "LS1 4AC": "", "QS1 4AP": "", "LZ1 4AP": "", "L1I 4AP": "", "EC1I 1BB": "", "12345": "", "GIR 1AA": "", "ASCN 2ZZ": "",
		"LS1 4AP LS1": "", "ÄS1 4AP": "", "1S1 4AP": "", "LS111 4AP": "",
	} {
		if got, ok := forms.UKPostcode(in); got != want || ok != (want != "") {
			t.Errorf("%q: %q %v, want %q", in, got, ok, want)
		}
	}
}

func TestPhone(t *testing.T) {
	for in, want := range map[string]string{
		"0113 496 0000": "01134960000", "(0113) 496-0000": "01134960000", "+44 (0)113 496 0000": "01134960000", "0044 113 496 0000": "01134960000",
		"07700.900123": "07700900123", "+49 30 90182": "+493090182", "0049 30 90182": "+493090182", "0800 1111": "",
		"": "", "none": "", "0113 496 0000 ext 5": "", "113 496 0000": "", "00": "", "+": "", "+44": "", "0113496000000000000000000": "", "496+0000": "",
	} {
		got, ok := forms.Phone(in)
		if ok != (want != "") || got != want {
			t.Errorf("%q: %q %v, want %q", in, got, ok, want)
		}
	}
}

// base64 is what the standard library decodes, and nothing is nothing.
func checkBase64(t *testing.T, s string) {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	n, ok := forms.Base64Size(s)
	if want := err == nil && len(b) > 0; ok != want || ok && n != len(b) || forms.Base64(s) != ok {
		t.Errorf("%q: %d %v, decodes to %d, %v", s, n, ok, len(b), err)
	}
}

func TestBase64(t *testing.T) {
	for _, s := range []string{"", "=", "====", "QQ==", "QUI=", "QUJD", "QUJDRA", "QU=D", "Q===", "QQ=", "QQ==\r\n", "QU\r\nJD", "QU JD", "QU-_", "QQ==QQ==", "QQ=\n=", "A", "AB==C"} {
		checkBase64(t, s)
	}
}

func FuzzBase64(f *testing.F) {
	f.Add("QUJD")
	f.Add("QQ==\n")
	f.Fuzz(checkBase64)
}

func FuzzForms(f *testing.F) {
	for _, s := range []string{"999 000 0018", "ls1 4ap", "+44 113", "rxx", "2026-10-01"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, tidy := range map[string]func(string) (string, bool){"nhs": forms.NHSNumber, "postcode": forms.UKPostcode, "phone": forms.Phone, "ods": forms.TidyODS} {
			out, ok := tidy(s)
			if ok && out == "" {
				t.Errorf("%s: %q gives nothing", name, s)
			}
			if again, still := tidy(out); ok && (!still || again != out) {
				t.Errorf("%s: %q gives %q, which gives %q", name, s, out, again)
			}
		}
	})
}

package hl7

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("", 3600))

func header(t testing.TB, s string) Header {
	t.Helper()
	h, err := ParseHeader([]byte(s))
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func TestBuildAck(t *testing.T) {
	bad := []AckError{{Location: "PID-3", Code: "101", Text: "no | number"}}
	tests := []struct {
		name, in string
		ack      Ack
		want     string
	}{
		{"accepted", head + "\r", Ack{Code: "AA"}, "MSH|^~\\&|EPR|RXY|PAS|RXX|20260301120000+0100||ACK^A08^ACK|N1|P|2.5.1\rMSA|AA|MSG42\r"},
		{"whole HD fields, processing mode, version and charset", "MSH|^~\\&|a^b^c|d^e^f|g^h|i^j|2026||ADT^A01|7|P^T|2.5^GBR^2.10||||||8859/1~ASCII\r", Ack{Code: "AA", NoZone: true},
			"MSH|^~\\&|g^h|i^j|a^b^c|d^e^f|20260301120000||ACK^A01^ACK|N1|P^T|2.5^GBR^2.10||||||8859/1~ASCII\rMSA|AA|7\r"},
		{"no event", "MSH|^~\\&|A||||||ORU|7||2.4\r", Ack{Code: "AA", NoZone: true}, "MSH|^~\\&|||A||20260301120000||ACK|N1||2.4\rMSA|AA|7\r"},
		{"before 2.4", "MSH|^~\\&|A||||||ORU^R01|7||2.3.1\r", Ack{Code: "AA", NoZone: true}, "MSH|^~\\&|||A||20260301120000||ACK^R01|N1||2.3.1\rMSA|AA|7\r"},
		{"no version", "MSH|^~\\&|A||||||ORU^R01|7\r", Ack{Code: "AA", NoZone: true}, "MSH|^~\\&|||A||20260301120000||ACK^R01|N1\rMSA|AA|7\r"},
		{"no control id", "MSH|^~\\&|A||||||ORU^R01\r", Ack{Code: "AR", NoZone: true}, "MSH|^~\\&|||A||20260301120000||ACK^R01|N1\rMSA|AR\r"},
		{"control id with escapes", "MSH|^~\\&|||||||A^A01|x\\T\\y||2.5\r", Ack{Code: "CA", NoZone: true}, "MSH|^~\\&|||||20260301120000||ACK^A01^ACK|N1||2.5\rMSA|CA|x\\T\\y\r"},
		{"own delimiters", "MSH;*!@%;A;B;C;D;;;ORU*R01;7;P;2.5\r", Ack{Code: "AE", Errors: bad, NoZone: true},
			"MSH;*!@%;C;D;A;B;20260301120000;;ACK*R01*ACK;N1;P;2.5\rMSA;AE;7\rERR;;PID*1*3;101*no | number*HL70357;E\r"},
		{"errors in 2.5", head, Ack{Code: "AE", Text: "told", NoZone: true, Errors: []AckError{
			{Location: "PID-3(#2).4.1", Code: "103", Text: "x", Severity: "W", Diagnostic: "d", UserText: "u^"}, {Location: "OBX(#3)-5(2=x)", Code: "102"}, {Location: "PID(3=x)-5.1", Code: "102"}, {}}},
			"MSH|^~\\&|EPR|RXY|PAS|RXX|20260301120000||ACK^A08^ACK|N1|P|2.5.1\rMSA|AE|MSG42|told\r" +
				"ERR||PID^1^3^2^4^1|103^x^HL70357|W|||d|u\\S\\\rERR||OBX^3^5|102^^HL70357|E\rERR||PID^^5^1^1|102^^HL70357|E\rERR|||^^HL70357|E\r"},
		{"errors before 2.5", "MSH|^~\\&|||||||A^A01|1||2.3\r", Ack{Code: "AE", NoZone: true, Errors: append(bad, AckError{Location: "PV1^1^2", Code: "103", Text: "y"})},
			"MSH|^~\\&|||||20260301120000||ACK^A01|N1||2.3\rMSA|AE|1|no \\F\\ number\rERR|PID^1^3^101&no \\F\\ number&HL70357~PV1^1^2^103&y&HL70357\r"},
		{"a text that does not fit", "MSH|^~\\&|||||||A^A01|1||2.3||||||8859/1\r", Ack{Code: "AE", Text: "Łé", NoZone: true},
			"MSH|^~\\&|||||20260301120000||ACK^A01|N1||2.3||||||8859/1\rMSA|AE|1|?\xe9\r"},
		{"a location that is none", head, Ack{Code: "AE", NoZone: true, Errors: []AckError{{Location: "PID^1|x\r^3", Code: "101"}}},
			"MSH|^~\\&|EPR|RXY|PAS|RXX|20260301120000||ACK^A08^ACK|N1|P|2.5.1\rMSA|AE|MSG42\rERR||PID^1x^3|101^^HL70357|E\r"},
		{"three encoding characters", "MSH|^~&|A||||||ORU^R01|7||2.3\r", Ack{Code: "AE", Text: "a|b", NoZone: true}, "MSH|^~&|||A||20260301120000||ACK^R01|N1||2.3\rMSA|AE|7|a?b\r"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := BuildAck(header(t, tt.in), tt.ack, noon, "N1")
			if string(got) != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
			r, err := ParseAck(got)
			if err != nil || r.Code != tt.ack.Code || r.ControlID != header(t, tt.in).ControlID || r.Type != "ACK" {
				t.Errorf("reads as %+v, %v", r, err)
			}
			if p := header(t, string(got)); AckPlan(p, true) != nil {
				t.Error("an answer would be answered")
			}
		})
	}
}

func TestAckPlan(t *testing.T) {
	tests := []struct {
		name, accept, app string
		ok                bool
		want              []string
	}{
		{"original", "", "", true, []string{"AA"}},
		{"original, refused", "", "", false, []string{"AE"}},
		{"both", "AL", "AL", true, []string{"CA", "AA"}},
		{"both, refused", "AL", "AL", false, []string{"CE", "AE"}},
		{"accept only", "AL", "NE", true, []string{"CA"}},
		{"application only", "", "AL", true, []string{"AA"}},
		{"never", "NE", "NE", false, nil},
		{"errors only, none", "ER", "ER", true, nil},
		{"errors only", "ER", "", false, []string{"CE"}},
		{"success only", "SU", "SU", true, []string{"CA", "AA"}},
		{"success only, refused", "SU", "SU", false, nil},
		{"rubbish", "??", "", true, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			h := header(t, head+"|||"+tt.accept+"|"+tt.app+"\r")
			if got := AckPlan(h, tt.ok); !reflect.DeepEqual(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	for _, in := range []string{"MSH|^~\\&|||||||ACK\r", "MSH|^~\\&|||||||MCF\r", "MSH|^~\\&|||||||RSP^K22\r\nSFT|1\r\nMSA|AA|1\r"} {
		if got := AckPlan(header(t, in), true); got != nil {
			t.Errorf("an answer is answered with %q", got)
		}
	}
}

func TestParseHeaderIsLenient(t *testing.T) {
	tests := []struct{ name, in, id string }{
		{"frame bytes", "\x0b" + head + "\r\x1c\r", "MSG42"},
		{"text before", "noise\r\n" + head, "MSG42"},
		{"mark before", "\xEF\xBB\xBF" + head, "MSG42"},
		{"bad MSH-2", "MSH|^^^^|||||||A|77|P\r", "77"},
		{"empty MSH-2", "MSH|||||||||77|P\r", "77"},
		{"unknown charset", head + "||||||KLINGON\r", "MSG42"},
		{"second message behind", head + "\r" + head, "MSG42"},
		{"cut", head[:len(head)-8], "MSG42"},
		{"utf-16", "M\x00S\x00H\x00|\x00^\x00~\x00\\\x00&\x00|\x00|\x00|\x00|\x00|\x00|\x00|\x00|\x005\x00\r\x00", "5"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if h := header(t, tt.in); h.ControlID != tt.id {
				t.Errorf("control id %q, want %q", h.ControlID, tt.id)
			}
		})
	}
	for _, in := range []string{"", "MSH", "PID|1", "xMSH|^~\\&|", "MSHX^~"} {
		if _, err := ParseHeader([]byte(in)); err == nil {
			t.Errorf("%q: a header was found", in)
		}
	}
}

func TestParseAck(t *testing.T) {
	tests := []struct {
		name, in string
		want     AckReply
	}{
		{"plain", "MSH|^~\\&|||||||ACK\rMSA|AA|7|all \\T\\ well\r", AckReply{Code: "AA", ControlID: "7", Text: "all & well", Type: "ACK"}},
		{"framed", "\x0bMSH|^~\\&|||||||ACK\rMSA|AE|7\r\x1c\r", AckReply{Code: "AE", ControlID: "7", Type: "ACK"}},
		{"response with data", "MSH|^~\\&|||||||RSP^K22\nSFT|1\nMSA|AA|7\nQAK|1|OK\n", AckReply{Code: "AA", ControlID: "7", Type: "RSP"}},
		{"expected sequence", "MSH|^~\\&|||||||ACK\rMSA|AE|7||12\r", AckReply{Code: "AE", ControlID: "7", Sequence: "12", Type: "ACK"}},
		{"own delimiters", "MSH:*!@%:::::::ACK*A01\rMSA:AR:7:a@S@b\r", AckReply{Code: "AR", ControlID: "7", Text: "a*b", Type: "ACK"}},
		{"broken header", "MSH|^^^^|||||||ACK\rMSA|AA|7\r", AckReply{Code: "AA", ControlID: "7", Type: "ACK"}},
		{"no header", "MSA|AA|7\r", AckReply{Code: "AA", ControlID: "7"}},
		{"unknown charset", "MSH|^~\\&|||||||ACK|||||||||KLINGON\rMSA|AA|7\r", AckReply{Code: "AA", ControlID: "7", Type: "ACK"}},
		{"error of 2.5", "MSH|^~\\&|||||||ACK\rMSA|AE|7\rERR||PID^1^3|101^Req \\T\\ d^HL70357|E|||diag|user\rERR||PV1|103|W\r",
			AckReply{Code: "AE", ControlID: "7", Type: "ACK", Errors: []AckError{{"PID^1^3", "101", "Req & d", "E", "diag", "user"}, {Location: "PV1", Code: "103", Severity: "W"}}}},
		{"errors of 2.3", "MSH|^~\\&|||||||ACK\rMSA|AE|7\rERR|PID^1^3^101&Req&HL70357~PV1^^^102~NK1\r",
			AckReply{Code: "AE", ControlID: "7", Type: "ACK", Errors: []AckError{{Location: "PID^1^3", Code: "101", Text: "Req"}, {Location: "PV1", Code: "102"}, {Location: "NK1"}}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseAck([]byte(tt.in))
			if err != nil || !reflect.DeepEqual(got, tt.want) {
				g, w := got, tt.want
				t.Errorf("got %q %q %q %q %q %v; want %q %q %q %q %v, %v", g.Code, g.ControlID, g.Text, g.Type, g.Sequence, g.Errors, w.Code, w.ControlID, w.Text, w.Type, w.Errors, err)
			}
		})
	}
	for _, in := range []string{"", "HTTP/1.1 400 Bad Request\r\n", head + "\r", "MSH|^~\\&|||||||ACK\rZMS|MSA|AA\r", strings.Repeat("\x1c", 9)} {
		if _, err := ParseAck([]byte(in)); !errors.Is(err, ErrNoMSA) {
			t.Errorf("%q: got %v", in, err)
		}
	}
}

package httpio

import (
	"bytes"
	"io"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spine-engine/spine-engine/adapters"
	"github.com/spine-engine/spine-engine/internal/message"
)

func FuzzMedia(f *testing.F) {
	for _, s := range []string{er7, "text/xml; charset=utf-8", `x-application/hl7-v2+er7; charset="a\"b"`, "application/xml;charset*=utf-8''x", "", ";", "a/b", "application/hl7-v2; charset=\r\nX: y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		m, ok := parseMedia(s)
		if !ok {
			if m != (media{}) {
				t.Errorf("%q is refused as %+v", s, m)
			}
			return
		}
		again, ok := parseMedia(m.answer())
		if !ok || again.format != m.format || !isFieldValue(m.answer()) {
			t.Errorf("%q is answered by %q", s, m.answer())
		}
		if xml := strings.Contains(m.name, "xml"); xml != (m.format == message.XML) {
			t.Errorf("%q is %s", m.name, m.format)
		}
	})
}

// Whatever a peer answers: a success is a success of ours only with our id.
func FuzzAck(f *testing.F) {
	for _, code := range []string{"AA", "AE", "CR", "", "XX"} {
		f.Add([]byte(ack(code, "7")), "7")
	}
	f.Add([]byte("MSA|AA|7\r"), "7")
	f.Add([]byte{}, "")
	f.Fuzz(func(t *testing.T, body []byte, id string) {
		r := judgeAck("200", body, id)
		if len(r.Text) > maxText || utf8.Valid(body) && !utf8.ValidString(r.Text) {
			t.Errorf("text of %d bytes", len(r.Text))
		}
		switch r.Code {
		case "200":
			if len(body) > 0 && (!bytes.Contains(body, []byte("MSA")) || !bytes.Contains(body, []byte(id))) {
				t.Error("a success without an acknowledgement of ours")
			}
		case "AE", "AR", "CE", "CR", adapters.WrongID, adapters.Unreadable:
		default:
			t.Errorf("code %q", r.Code)
		}
	})
}

// No body makes an intake give more than it may, or forget its fault.
func FuzzGzip(f *testing.F) {
	f.Add([]byte(zip(f, adt("1"))), int64(1000))
	f.Add([]byte(zip(f, strings.Repeat("\x00", 1<<20))), int64(1<<20))
	f.Add([]byte(zip(f, "a")+zip(f, "b")), int64(10))
	f.Fuzz(func(t *testing.T, body []byte, max int64) {
		max = max&0xFFFFF + 1
		in := &intake{r: bytes.NewReader(body), max: max}
		defer in.end()
		err := in.inflate()
		var n int64
		if err == nil {
			n, err = io.Copy(io.Discard, in)
		}
		if n > max || n > freeInflated && n > maxRatio*int64(len(body)) {
			t.Errorf("%d bytes of %d", n, len(body))
		}
		if (err != nil) != (in.fault != nil) {
			t.Errorf("%v, fault %v", err, in.fault)
		}
	})
}

func FuzzURL(f *testing.F) {
	for _, s := range []string{"https://h/x", "http://127.0.0.1:1/", "https://u:p@h", "https://[::1%25eth0]/", "http://0x7f.1/", "https://h#f", "//h", "= 1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		u, why, _ := parseURL(s)
		if why != "" {
			return
		}
		if u.User != nil || u.Fragment != "" || u.Hostname() == "" || u.Path == "" || !strings.Contains(hostPort(u), ":") {
			t.Errorf("%q became %s", s, u)
		}
		if addr, err := netip.ParseAddr(u.Hostname()); err == nil && addr.IsLoopback() && (allowance{}).literal(u.Hostname()) == nil {
			t.Errorf("%q leads home", s)
		}
		if _, err := http.NewRequest("POST", u.String(), nil); err != nil {
			t.Errorf("%q: %v", s, err)
		}
	})
}

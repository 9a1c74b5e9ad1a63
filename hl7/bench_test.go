package hl7

import (
	"strings"
	"testing"
	"time"
)

// adt is an admission of about 1 kB as a PAS sends it.
const adt = `MSH|^~\&|PAS|RXX|SPINE|RXX|20260105093012||ADT^A01^ADT_A01|PAS0000420001|P|2.4|||AL|NE|GBR|UNICODE UTF-8` + "\r" +
	`EVN|A01|20260105093000|||JSMITH^Smith^Jo|20260105092500` + "\r" +
	`PID|1||7700123^^^RXX^PI~9990000018^^^NHS^NH||Donald^Mary^Ann^^Mrs^^L||19610203|F|||12 Mill Lane^Flat 2^Northtown^^NT1 2AB^GBR^H||^PRN^PH^^^01632^960123~^PRN^CP^^^07700^900123||EN|M|C22|||||A|||||||GBR` + "\r" +
	`PD1|||North Road Surgery^^Y01234|G8800001^Hill^Alex^^^Dr` + "\r" +
	`NK1|1|Donald^James^^^Mr|SPO^Spouse^HL70063|12 Mill Lane^Flat 2^Northtown^^NT1 2AB^GBR|^PRN^PH^^^01632^960124` + "\r" +
	`PV1|1|I|W12^B3^7^RXX^^^^North Wing|21|||C3000001^Vale^Robin^^^Dr^^^GMC|C3000002^Moss^Kim^^^Dr^^^GMC||300||||19|||C3000001^Vale^Robin^^^Dr|01|V00042001^^^RXX|||||||||||||||||||||||||20260105092500` + "\r" +
	`PV2||1^Single room|^Chest pain||||||20260108` + "\r" +
	`AL1|1|DA|70618^Penicillin^SNOMED|SV|Rash` + "\r" +
	`ZPI|1|COMM|Y|2026` + "\r"

// oru is a report of about 9 kB.
func oru() string {
	var s strings.Builder
	s.WriteString(strings.Replace(adt[:strings.Index(adt, "PD1")], "ADT^A01^ADT_A01", "ORU^R01^ORU_R01", 1))
	for range 60 {
		s.WriteString("OBR|1|A1|B1|FBC^Full blood count^WIN|||20260105080000\r")
		s.WriteString("OBX|1|NM|718-7^Haemoglobin^LN||141|g/L^^UCUM|130-180|N|||F|||20260105091500\r")
		s.WriteString("NTE|1||Sample slightly haemolysed, interpret with care\r")
	}
	return s.String()
}

func BenchmarkParse(b *testing.B) {
	for name, s := range map[string]string{"adt": adt, "oru": oru()} {
		b.Run(name, func(b *testing.B) {
			in := []byte(s)
			b.SetBytes(int64(len(in)))
			b.ReportAllocs()
			for b.Loop() {
				if _, err := Parse(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkParseGetSetBytes(b *testing.B) {
	var gets []Path
	for _, p := range []string{"MSH-9.1", "MSH-10", "PID-3(5=NH).1", "PID-5.1", "PV1-3.1"} {
		gets = append(gets, MustPath(p))
	}
	to := MustPath("MSH-5")
	in := []byte(adt)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		m, err := Parse(in)
		if err != nil {
			b.Fatal(err)
		}
		for _, p := range gets {
			if m.Get(p) == "" && p.Segment() != "PV1" {
				b.Fatal(p)
			}
		}
		if err := m.Set(to, "EPR"); err != nil {
			b.Fatal(err)
		}
		if len(m.Bytes()) != len(in)-2 {
			b.Fatal("size")
		}
	}
}

func BenchmarkGet(b *testing.B) {
	m := parse(b, adt)
	for _, s := range []string{"MSH-10", "PID-5.1", "PID-3(5=NH).1", "PV1-44"} {
		p := MustPath(s)
		b.Run(s, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				m.Get(p)
			}
		})
	}
}

func BenchmarkSet(b *testing.B) {
	m := parse(b, adt)
	p := MustPath("PID-5.1")
	b.ReportAllocs()
	for b.Loop() {
		if err := m.Set(p, "Donald"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkWalk numbers the OBX of each of 60 orders, and puts a segment into each.
func BenchmarkWalk(b *testing.B) {
	m := parse(b, oru())
	rel, err := ParseRelative("ord/OBX-1")
	if err != nil {
		b.Fatal(err)
	}
	item, err := ParseRelative("ord")
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		c := m.Clone()
		groups, err := c.AnchorGroups([]string{"ORC", "OBR"})
		if err != nil || len(groups) != 60 {
			b.Fatal(err)
		}
		for _, a := range groups {
			p, _ := rel.In(a)
			g, _ := item.In(a)
			if err := c.Set(p, "7"); err != nil {
				b.Fatal(err)
			}
			if _, err := c.Insert(g, AtGroupEnd, "SPM"); err != nil {
				b.Fatal(err)
			}
		}
	}
}

// BenchmarkEditLarge: 25 MB of OBX are never copied to change MSH.
func BenchmarkEditLarge(b *testing.B) {
	in := []byte(adt + "OBX|1|ED|||" + strings.Repeat("QUJD", 25<<18) + "\r")
	p := MustPath("MSH-5")
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		m, err := Parse(in)
		if err != nil {
			b.Fatal(err)
		}
		if err := m.Set(p, "EPR"); err != nil {
			b.Fatal(err)
		}
		m.Spans(func(Span) bool { return true })
	}
}

func BenchmarkFrames(b *testing.B) {
	one := "\x0b" + adt + "\x1c\r"
	in := strings.Repeat(one, 1000)
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	buf := make([]byte, 0, 4096)
	for b.Loop() {
		r := NewFrameReader(strings.NewReader(in), FrameLimits{})
		for range 1000 {
			f, err := r.NextInto(buf, nil, 0)
			if err != nil {
				b.Fatal(err)
			}
			buf = f.Body
		}
	}
}

func BenchmarkBatch(b *testing.B) {
	in := "FHS|^~\\&\rBHS|^~\\&\r" + strings.Repeat(adt, 1000) + "BTS|1000\rFTS|1\r"
	b.SetBytes(int64(len(in)))
	b.ReportAllocs()
	for b.Loop() {
		r := NewBatchReader(strings.NewReader(in), 0)
		for range 1000 {
			if _, err := r.Next(); err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkBuildAck(b *testing.B) {
	now := time.Date(2026, 1, 5, 9, 30, 0, 0, time.UTC)
	in := []byte(adt)
	b.ReportAllocs()
	for b.Loop() {
		h, err := ParseHeader(in)
		if err != nil {
			b.Fatal(err)
		}
		BuildAck(h, Ack{Code: "AA"}, now, "1")
	}
}

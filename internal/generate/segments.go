package generate

import (
	"fmt"
	"slices"
)

// Segments that several kinds of message share.

func (g *Generator) evn(event string) string {
	return segment("EVN", fields{1: text(event), 2: stamp(g.now), 6: stamp(g.now)})
}

func (g *Generator) pid(p *someone) string {
	f := fields{1: "1", 3: g.identifiers(p), 5: name(p.Family, p.Given, p.Middle, p.Title), 7: date(p.Born), 8: text(p.Sex),
		11: parts(slices.Concat(p.Address, []string{"GBR", "H"})...), 13: g.phones(p)}
	return segment("PID", f)
}

// identifiers are PID-3 (CX): the hospital's number, and the NHS number when known.
func (g *Generator) identifiers(p *someone) er7 {
	ids := []er7{parts(p.Local, "", "", facility, "PI")}
	if p.NHS != "" {
		ids = append(ids, parts(p.NHS, "", "", "NHS", "NH"))
	}
	return repeats(ids...)
}

const facility = "RXX"

func name(family, given, middle, title string) er7 {
	return parts(family, given, middle, "", title, "", "L")
}

// phones are PID-13 (XTN): number, use, equipment.
func (g *Generator) phones(p *someone) er7 {
	home, mobile := parts(p.Home, "PRN", "PH"), er7("")
	if p.Mobile != "" {
		mobile = parts(p.Mobile, "PRN", "CP")
	}
	return repeats(home, mobile)
}

func (g *Generator) pd1(p *someone) string {
	return segment("PD1", fields{3: parts(p.practice.text, "", p.practice.code), 4: parts(p.gp.code, p.gp.family, p.gp.given, "", "", "Dr")})
}

func (g *Generator) nk1(p *someone) string {
	return segment("NK1", fields{1: "1", 2: name(p.kin.family, p.kin.given, "", ""), 3: parts(p.kin.code, p.kin.relation),
		5: parts(p.kin.phone, "PRN", "PH")})
}

// staff is an XCN.
func staff(s clinician) er7 { return parts(s.code, s.family, s.given, "", "", "Dr") }

func (b bed) location() er7 {
	if b == (bed{}) {
		return ""
	}
	return parts(b.ward, b.bay, b.bed, facility)
}

// pv1 is the visit; class N (not applicable) when there is none.
func (g *Generator) pv1(v *visit) string {
	if v == nil {
		return segment("PV1", fields{1: "1", 2: "N"})
	}
	f := fields{1: "1", 2: "I", 3: v.bed.location(), 4: parts("21"), 7: staff(v.consultant), 10: text(v.specialty.code),
		19: parts(v.number, "", "", facility, "VN"), 44: stamp(v.admitted), 45: stamp(v.discharged)}
	if v.community {
		f[18] = "COMM"
	}
	if !v.discharged.IsZero() {
		f[36] = "19" // usual place of residence
	}
	return segment("PV1", f)
}

// visitOf is the visit a message about p speaks of: the present one, else the last.
func visitOf(p *someone) *visit {
	if p.visit != nil {
		return p.visit
	}
	return p.last
}

func (g *Generator) dg1(v *visit) string {
	return segment("DG1", fields{1: "1", 3: parts(v.diagnosis.code, v.diagnosis.text, "I10"), 5: stamp(v.admitted), 6: "A"})
}

func (g *Generator) al1(n int, a coded) string {
	f := fields{1: number(n), 2: "DA", 3: parts(a.code, a.text, "L"), 4: "MO", 5: text("Rash")}
	if a.code != "PEN" {
		f[2] = "MA"
	}
	return segment("AL1", f)
}

func (g *Generator) nte(n int, comment string) string {
	return segment("NTE", fields{1: number(n), 2: "L", 3: text(comment)})
}

// universal is a coded value of a local list: code^text^L.
func universal(c coded) er7 { return parts(c.code, c.text, "L") }

func (g *Generator) placer(n string) er7 { return parts(n, "ICE") }

func (g *Generator) filler(prefix string, c *int) string {
	return fmt.Sprintf("%s-26", g.count(prefix, c))
}

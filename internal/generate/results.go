package generate

import (
	"encoding/base64"
	"fmt"
)

// oru is ORU^R01: MSH PID PD1 PV1 {ORC OBR NTE {OBX}}, one OBR for each panel.
func (g *Generator) oru() []string {
	o := g.waiting()
	p := o.patient
	body := []string{g.pid(p), g.pd1(p), g.pv1(visitOf(p))}
	lab := g.filler("L", &g.resultCount)
	for i, t := range o.tests {
		body = append(body, g.result(i+1, o, lab, t)...)
	}
	if g.o.PDF {
		last := o.tests[len(o.tests)-1]
		body = append(body, g.report(len(last.items)+1, lab))
	}
	return body
}

func (g *Generator) result(n int, o *order, lab string, t panel) []string {
	orc := segment("ORC", fields{1: "RE", 2: g.placer(o.placer), 3: parts(lab, "LIMS"), 4: parts(o.placer, "ICE")})
	f := fields{1: number(n), 2: g.placer(o.placer), 3: parts(lab, "LIMS"), 4: universal(t.coded), 7: stamp(o.at), 14: stamp(o.at.Add(g.minutes(20, 20))),
		22: stamp(g.now), 24: "LAB", 25: "F"}
	if v := visitOf(o.patient); v != nil {
		f[16] = staff(v.consultant)
	}
	out := []string{orc, segment("OBR", f)}
	if g.dice.oneIn(3) {
		out = append(out, g.nte(1, "Sample slightly haemolysed; interpret K+ with care"))
	}
	for i, it := range t.items {
		out = append(out, g.obx(i+1, it))
	}
	return out
}

func (g *Generator) obx(n int, it item) string {
	f := fields{1: number(n), 2: er7(it.kind), 3: universal(it.coded), 11: "F", 14: stamp(g.now)}
	switch it.kind {
	case "NM":
		f[5], f[6], f[7], f[8] = g.measure(it)
	case "CE":
		f[5] = universal(pick(g.dice, it.findings))
		if g.since("2.6") { // CE was withdrawn for CWE
			f[2] = "CWE"
		}
	default:
		f[5] = text(pick(g.dice, findings()))
	}
	return segment("OBX", f)
}

// findings hold what text holds in life: delimiters, comparisons, line ends.
func findings() []string {
	return []string{"WBC <10 x 10^6/L; RBC nil", "No focal consolidation. Heart & mediastinum normal.", "Compare with film of 12|03; see C:\\PACS\\old",
		"Clear lungs ~ no effusion", "Pus cells ++ & casts"}
}

// measure gives value, units, range and flag. Values are tenths, so that no
// floating point is in the way of equal bytes.
func (g *Generator) measure(it item) (value, units, normal, flag er7) {
	v := g.dice.between(it.lo, it.hi)
	var lo, hi float64
	fmt.Sscanf(it.normal, "%g-%g", &lo, &hi)
	switch x := float64(v) / 10; {
	case x < lo:
		flag = "L"
	case x > hi:
		flag = "H"
	}
	return text(fmt.Sprintf("%d.%d", v/10, v%10)), text(it.units), text(it.normal), flag
}

// report is the laboratory's report as a file: OBX-5 is ED,
// source^type^subtype^encoding^data.
func (g *Generator) report(n int, lab string) string {
	data := base64.StdEncoding.EncodeToString(PDF("Synthetic laboratory report", "Report "+lab, "This report is about nobody."))
	return segment("OBX", fields{1: number(n), 2: "ED", 3: parts("PDF", "Report", "L"), 5: parts("", "application", "pdf", "Base64", data), 11: "F",
		14: stamp(g.now)})
}

package generate

// mdm is MDM^T02, a new document with its content: MSH EVN PID PV1 TXA {OBX}.
func (g *Generator) mdm() []string {
	p := g.gone()
	v := p.last
	unique := g.filler("D", &g.documents)
	txa := segment("TXA", fields{1: "1", 2: "DS", 3: "TX", 4: stamp(v.discharged), 5: staff(v.consultant), 6: stamp(g.now), 9: staff(v.consultant),
		12: parts(unique, "EDMS"), 16: text(unique + ".txt"), 17: "AU", 18: "U", 19: "AV"})
	body := []string{g.evn("T02"), g.pid(p), g.pv1(v), txa}
	for i, l := range []string{"Discharge summary", "Diagnosis: " + v.diagnosis.text, "Ward " + v.bed.ward + "; seen by " + v.consultant.family,
		"Plan: review in clinic | no driving for 6/52"} {
		body = append(body, segment("OBX", fields{1: number(i + 1), 2: "TX", 3: parts("DS", "Discharge summary", "L"), 4: number(i + 1), 5: text(l), 11: "F"}))
	}
	return body
}

package generate

// adt makes the body of an ADT message and lets it happen.
func (g *Generator) adt(event string) []string {
	switch event {
	case "A01":
		p := g.outside()
		g.admit(p, g.now)
		return g.admission(event, p)
	case "A02":
		p := g.inside()
		g.transfer(p)
		return []string{g.evn(event), g.pid(p), g.pd1(p), g.pv1Moved(p.visit)}
	case "A03":
		p := g.inside()
		g.discharge(p)
		return []string{g.evn(event), g.pid(p), g.pd1(p), g.pv1(p.last), g.dg1(p.last)}
	case "A08":
		p := g.inside()
		g.change(p)
		return g.admission(event, p)
	case "A11":
		p := g.inside()
		body := []string{g.evn(event), g.pid(p), g.pd1(p), g.pv1(p.visit)}
		g.cancelAdmission(p)
		return body
	case "A13":
		p := g.gone()
		g.reopen(p)
		return g.admission(event, p)
	case "A28":
		return g.demographics(event, g.newcomer())
	case "A31":
		p := g.outside()
		g.change(p)
		return g.demographics(event, p)
	default:
		return g.merge(event)
	}
}

// admission is the structure ADT_A01.
func (g *Generator) admission(event string, p *someone) []string {
	body := []string{g.evn(event), g.pid(p), g.pd1(p), g.nk1(p), g.pv1(p.visit)}
	for i := range g.dice.n(3) {
		body = append(body, g.al1(i+1, allergies()[(g.dice.n(2)+2*i)%len(allergies())]))
	}
	return append(body, g.dg1(p.visit))
}

// pv1Moved is PV1 with the bed the patient left, PV1-6.
func (g *Generator) pv1Moved(v *visit) string {
	f := fields{1: "1", 2: "I", 3: v.bed.location(), 4: parts("21"), 6: v.prior.location(), 7: staff(v.consultant),
		10: text(v.specialty.code), 19: parts(v.number, "", "", facility, "VN"), 44: stamp(v.admitted)}
	return segment("PV1", f)
}

// demographics is the structure ADT_A05: no visit is meant, so PV1-2 is N.
func (g *Generator) demographics(event string, p *someone) []string {
	return []string{g.evn(event), g.pid(p), g.pd1(p), g.nk1(p), g.pv1(nil)}
}

// newcomer is somebody new to the hospital, or, one time in ten, somebody whom the
// front desk did not find and registered again.
func (g *Generator) newcomer() *someone {
	if p := g.some(func(p *someone) bool { return p.same == nil }); p != nil && g.dice.oneIn(10) {
		return g.registerAgain(p)
	}
	return g.register()
}

// change is something that changes in a patient's life.
func (g *Generator) change(p *someone) {
	if g.dice.oneIn(2) {
		p.Address = g.address()
		return
	}
	fresh := g.invent()
	p.Home, p.Mobile, p.practice, p.gp = fresh.Home, fresh.Mobile, fresh.practice, fresh.gp
}

// merge is {PID PD1 MRG}: PID carries the number that stays, MRG-1 the one that
// goes (chapter 3, A40). One in five says where the survivor lies, in PV1.
func (g *Generator) merge(event string) []string {
	loser := g.twice()
	p := loser.same
	loser.merged = true
	mrg := segment("MRG", fields{1: parts(loser.Local, "", "", facility, "PI"), 7: name(loser.Family, loser.Given, loser.Middle, loser.Title)})
	body := []string{g.evn(event), g.pid(p), g.pd1(p), mrg}
	if p.visit != nil {
		body = append(body, g.pv1(p.visit))
	}
	return body
}

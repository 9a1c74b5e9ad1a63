package generate

import (
	"fmt"
	"time"
)

// A visit is one stay under one number.
type visit struct {
	number     string
	bed        bed
	prior      bed
	admitted   time.Time
	discharged time.Time
	consultant clinician
	specialty  coded
	diagnosis  coded
	community  bool // leaves into community care
}

type bed struct{ ward, bay, bed string }

const bays, beds = 4, 6

// freeBed is a bed nobody lies in, on a ward where possible. A full hospital puts
// people on trolleys.
func (g *Generator) freeBed(ward int) bed {
	w := wards()[ward]
	first := g.dice.n(bays * beds)
	for i := range bays * beds {
		n := (first + i) % (bays * beds)
		b := bed{w.code, fmt.Sprintf("BAY%d", n/beds+1), fmt.Sprintf("BED%d", n%beds+1)}
		if !g.taken[b] {
			return b
		}
	}
	g.trolleys++
	return bed{"ED", "CORR", fmt.Sprintf("T%d", g.trolleys)}
}

func (g *Generator) admit(p *someone, at time.Time) {
	ward := g.dice.n(len(wards()))
	v := &visit{number: g.count("V", &g.visits), bed: g.freeBed(ward), admitted: at, consultant: pick(g.dice, consultants()),
		specialty: specialties()[ward], diagnosis: pick(g.dice, diagnoses()), community: g.dice.oneIn(4)}
	g.taken[v.bed] = true
	p.visit, p.last = v, nil
}

func (g *Generator) transfer(p *someone) {
	ward := g.dice.n(len(wards()))
	v := p.visit
	to := g.freeBed(ward)
	delete(g.taken, v.bed)
	v.prior, v.bed, v.specialty = v.bed, to, specialties()[ward]
	g.taken[to] = true
}

func (g *Generator) discharge(p *someone) {
	p.visit.discharged = g.now
	delete(g.taken, p.visit.bed)
	p.last, p.visit = p.visit, nil
}

// reopen takes a discharge back. The bed may have gone to somebody else.
func (g *Generator) reopen(p *someone) {
	v := p.last
	v.discharged = time.Time{}
	if g.taken[v.bed] {
		v.bed = g.freeBed(g.dice.n(len(wards())))
	}
	g.taken[v.bed] = true
	p.visit, p.last = v, nil
}

func (g *Generator) cancelAdmission(p *someone) {
	delete(g.taken, p.visit.bed)
	p.visit = nil
}

// some is a known patient the condition holds for, or nil.
func (g *Generator) some(ok func(*someone) bool) *someone {
	if len(g.people) == 0 {
		return nil
	}
	first := g.dice.n(len(g.people))
	for i := range g.people {
		if p := g.people[(first+i)%len(g.people)]; !p.merged && ok(p) {
			return p
		}
	}
	return nil
}

// anyone is a known patient; now and then somebody new.
func (g *Generator) anyone() *someone {
	if p := g.some(func(*someone) bool { return true }); p != nil && !g.dice.oneIn(4) {
		return p
	}
	return g.register()
}

// outside is somebody who is not in hospital.
func (g *Generator) outside() *someone {
	if p := g.some(func(p *someone) bool { return p.visit == nil }); p != nil && !g.dice.oneIn(2) {
		return p
	}
	return g.register()
}

// inside is somebody in a bed. If there is nobody, somebody came in before the
// messages begin.
func (g *Generator) inside() *someone {
	if p := g.some(func(p *someone) bool { return p.visit != nil }); p != nil {
		return p
	}
	p := g.outside()
	g.admit(p, g.now.Add(-time.Duration(g.dice.between(5, 90))*time.Hour))
	return p
}

// gone is somebody whose last visit has ended.
func (g *Generator) gone() *someone {
	if p := g.some(func(p *someone) bool { return p.visit == nil && p.last != nil }); p != nil {
		return p
	}
	p := g.inside()
	g.discharge(p)
	return p
}

// twice is a number that belongs to a patient who has another one.
func (g *Generator) twice() *someone {
	if p := g.some(mergeable); p != nil {
		return p
	}
	return g.registerAgain(g.outside())
}

func mergeable(p *someone) bool { return p.same != nil && !p.same.merged && p.visit == nil }

// today is the patient under the number that is in use now, after all merges.
func (p *someone) today() *someone {
	for p.merged {
		p = p.same
	}
	return p
}

package generate

import (
	"fmt"
	"slices"
	"time"
)

// A Patient is somebody who does not exist. Texts are UTF-8 without escapes.
type Patient struct {
	NHS      string // ten digits, 999 range; "" when the hospital does not know it
	Local    string // the hospital's own number
	Title    string
	Given    string
	Middle   string
	Family   string
	Sex      string // M, F, U
	Born     time.Time
	Address  []string // house, street, town, county, postcode
	Home     string   // telephone numbers; "" if none
	Mobile   string
	practice coded
	gp       clinician
	kin      kin
}

type kin struct{ family, given, code, relation, phone string }

// someone is a patient and where life has brought them.
type someone struct {
	Patient
	visit  *visit   // in hospital now
	last   *visit   // the visit that ended last, as long as it can be reopened
	same   *someone // registered twice: the first registration
	merged bool     // its number is no longer in use
}

// Patient registers a new patient. Messages to come may be about them.
func (g *Generator) Patient() Patient { return g.register().Patient }

func (g *Generator) register() *someone {
	p := &someone{Patient: g.invent()}
	g.people = append(g.people, p)
	return p
}

// registerAgain gives a known patient a second number, as happens at a front desk.
func (g *Generator) registerAgain(first *someone) *someone {
	twin := first.Patient
	twin.Local, twin.NHS, twin.Middle = g.localNumber(), "", ""
	p := &someone{Patient: twin, same: first}
	g.people = append(g.people, p)
	return p
}

func (g *Generator) invent() Patient {
	d := g.dice
	p := Patient{NHS: g.nhsNumber(), Local: g.localNumber(), Family: pick(d, g.names.families), Sex: pick(d, []string{"F", "F", "F", "M", "M", "M", "U"})}
	given := g.names.girls
	if p.Sex == "M" || p.Sex == "U" && d.oneIn(2) {
		given = g.names.boys
	}
	p.Given, p.Title = pick(d, given), pick(d, titles(p.Sex))
	if d.oneIn(3) {
		p.Middle = pick(d, given)
	}
	p.Born = g.o.From.Truncate(24*time.Hour).AddDate(0, 0, -d.between(30, 95*365))
	p.Address = g.address()
	p.Home = fmt.Sprintf("01632960%03d", d.n(1000))
	if d.oneIn(2) {
		p.Mobile = fmt.Sprintf("07700900%03d", d.n(1000))
	}
	p.practice, p.gp = pick(d, practices()), pick(d, gps())
	p.kin = g.nextOfKin(p)
	return p
}

// address has a pseudo-postcode: ZZ99 is no place.
func (g *Generator) address() []string {
	const letters = "ABDEFGHJLNPQRSTUWXYZ"
	d := g.dice
	code := "ZZ99 3" + string(letters[d.n(len(letters))]) + string(letters[d.n(len(letters))])
	return []string{pick(d, houses()), fmt.Sprintf("%d %s", d.between(1, 199), pick(d, streets())), pick(d, towns()), "", code}
}

func (g *Generator) nextOfKin(p Patient) kin {
	d := g.dice
	r := pick(d, []coded{{"SPO", "Spouse"}, {"MTH", "Mother"}, {"CHD", "Child"}, {"SIB", "Sibling"}})
	return kin{family: p.Family, given: pick(d, slices.Concat(g.names.girls, g.names.boys)), code: r.code, relation: r.text,
		phone: fmt.Sprintf("01632960%03d", d.n(1000))}
}

package generate

import "time"

// An order waits for its result.
type order struct {
	patient *someone
	placer  string
	tests   []panel
	at      time.Time
}

type panel struct {
	coded
	items []item
}

// item is one observation of a panel. A numeric one has bounds and units.
type item struct {
	coded
	kind     string // NM, TX, CE
	lo, hi   int    // tenths
	units    string
	normal   string
	findings []coded
}

func panels() []panel {
	return []panel{
		{coded{"FBC", "Full blood count"}, []item{
			{coded{"HB", "Haemoglobin"}, "NM", 800, 1750, "g/L", "120-165", nil},
			{coded{"WBC", "White cells"}, "NM", 25, 190, "10*9/L", "4.0-11.0", nil},
			{coded{"PLT", "Platelets"}, "NM", 900, 4800, "10*9/L", "150-400", nil}}},
		{coded{"UE", "Urea & electrolytes"}, []item{
			{coded{"NA", "Sodium"}, "NM", 1280, 1490, "mmol/L", "133-146", nil},
			{coded{"K", "Potassium"}, "NM", 30, 61, "mmol/L", "3.5-5.3", nil},
			{coded{"CREA", "Creatinine"}, "NM", 450, 2400, "umol/L", "45-104", nil}}},
		{coded{"MSU", "Urine microscopy & culture"}, []item{
			{coded: coded{"MIC", "Microscopy"}, kind: "TX"},
			{coded: coded{"CUL", "Culture"}, kind: "CE", findings: []coded{{"NG", "No growth"}, {"ECOL", "E. coli"}, {"MXG", "Mixed growth"}}}}},
		{coded{"CXR", "Chest X-ray"}, []item{{coded: coded{"REP", "Report"}, kind: "TX"}}},
	}
}

// place makes an order for one to three panels.
func (g *Generator) place(p *someone) *order {
	o := &order{patient: p, placer: g.count("P", &g.orderCount), at: g.now}
	all := panels()
	first := g.dice.n(len(all))
	for i := range g.dice.between(1, 3) {
		o.tests = append(o.tests, all[(first+i)%len(all)])
	}
	return o
}

// orm is ORM^O01: MSH PID PD1 PV1 {ORC OBR}.
func (g *Generator) orm() []string {
	o := g.place(g.inside())
	g.orders = append(g.orders, o)
	p := o.patient
	body := []string{g.pid(p), g.pd1(p), g.pv1(p.visit)}
	for i, t := range o.tests {
		orc := fields{1: "NW", 2: g.placer(o.placer), 4: parts(o.placer, "ICE"), 5: "IP", 9: stamp(o.at), 12: staff(p.visit.consultant)}
		obr := fields{1: number(i + 1), 2: g.placer(o.placer), 4: universal(t.coded), 7: stamp(o.at), 13: text("Known to the chest clinic | seen today"),
			16: staff(p.visit.consultant)}
		if !g.since("2.5") { // quantity and timing moved to TQ1
			orc[7], obr[27] = timing, timing
		}
		body = append(body, segment("ORC", orc), segment("OBR", obr))
	}
	return body
}

// timing is once, priority routine (TQ).
const timing er7 = "1^^^^^R"

// waiting is the oldest order without a result; somebody's order from before the
// messages begin, if there is none.
func (g *Generator) waiting() *order {
	if len(g.orders) > 0 {
		o := g.orders[0]
		g.orders = g.orders[1:]
		o.patient = o.patient.today()
		return o
	}
	o := g.place(g.inside())
	o.at = g.now.Add(-time.Duration(g.dice.between(30, 600)) * time.Minute)
	return o
}

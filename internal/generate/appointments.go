package generate

import "time"

// An appointment is booked, moved and cancelled under the same two numbers.
type appointment struct {
	patient *someone
	placer  string
	filler  string
	clinic  coded
	doctor  clinician
	start   time.Time
	length  time.Duration
}

func (g *Generator) minutes(lo, hi int) time.Duration {
	return time.Duration(g.dice.between(lo, hi)) * time.Minute
}

func (g *Generator) book() *appointment {
	n := g.count("B", &g.bookings)
	a := &appointment{patient: g.anyone(), placer: n, filler: "F" + n[1:], clinic: pick(g.dice, clinics()), doctor: pick(g.dice, consultants()),
		length: time.Duration(g.dice.between(2, 6)*5) * time.Minute}
	a.start = g.slot()
	g.booked = append(g.booked, a)
	return a
}

// slot is a time in the clinic's hours, one to sixty days ahead.
func (g *Generator) slot() time.Time {
	day := g.now.AddDate(0, 0, g.dice.between(1, 60))
	return time.Date(day.Year(), day.Month(), day.Day(), g.dice.between(9, 16), 15*g.dice.n(4), 0, 0, day.Location())
}

// existing is an appointment that can be changed; booked before the messages begin
// if there is none.
func (g *Generator) existing() (a *appointment, at int) {
	if len(g.booked) == 0 {
		g.book()
	}
	at = g.dice.n(len(g.booked))
	a = g.booked[at]
	a.patient = a.patient.today()
	return a, at
}

// siu is SIU^S12 to S15: MSH SCH [TQ1] NTE PID PD1 PV1 RGS AIS AIL AIP.
func (g *Generator) siu(event string) []string {
	var a *appointment
	status := "Booked"
	switch event {
	case "S12":
		a = g.book()
	case "S13":
		a, _ = g.existing()
		a.start = g.slot()
	case "S14":
		a, _ = g.existing()
		a.doctor = pick(g.dice, consultants())
	default:
		var at int
		a, at = g.existing()
		g.booked = append(g.booked[:at:at], g.booked[at+1:]...)
		status = "Cancelled"
	}
	return g.schedule(event, a, status)
}

func (g *Generator) schedule(event string, a *appointment, status string) []string {
	p, minutes := a.patient, number(int(a.length/time.Minute))
	when := glue("^", []er7{"", "", "M" + minutes, stamp(a.start), stamp(a.start.Add(a.length))})
	sch := fields{1: parts(a.placer, "PAS"), 2: parts(a.filler, "PAS"), 6: parts(event, reason(event)), 7: parts("FU", "Follow-up & review"),
		9: minutes, 10: parts("min"), 16: staff(a.doctor), 20: parts("CLERK1", "Placeholder", "Ivo"), 25: text(status)}
	if !g.since("2.5") { // SCH-11 gave way to TQ1
		sch[11] = when
	}
	body := []string{segment("SCH", sch)}
	if g.since("2.5") {
		body = append(body, segment("TQ1", fields{1: "1", 7: stamp(a.start), 8: stamp(a.start.Add(a.length))}))
	}
	action := map[string]er7{"S12": "A", "S15": "D"}[event]
	if action == "" {
		action = "U"
	}
	return append(body, g.nte(1, "Please bring your tablets"), g.pid(p), g.pd1(p), segment("PV1", fields{1: "1", 2: "O", 3: parts(a.clinic.code, "", "", facility), 7: staff(a.doctor)}),
		segment("RGS", fields{1: "1", 2: action}),
		segment("AIS", fields{1: "1", 2: action, 3: universal(a.clinic), 4: stamp(a.start), 7: minutes, 8: parts("min")}),
		segment("AIL", fields{1: "1", 2: action, 3: parts(a.clinic.code, "ROOM1", "", facility), 4: parts("CLINIC")}),
		segment("AIP", fields{1: "1", 2: action, 3: staff(a.doctor), 4: parts("CONS")}))
}

func reason(event string) string {
	switch event {
	case "S12":
		return "New appointment"
	case "S13":
		return "Rescheduled"
	case "S14":
		return "Changed"
	default:
		return "Cancelled"
	}
}

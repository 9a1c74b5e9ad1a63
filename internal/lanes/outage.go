package lanes

// outage is what is known of a destination that gives no answer. After the first
// send without one, only one lane at a time is tried until any answer comes.
//
// One silent copy may be the copy's own fault: the next lane is tried at once.
// From the second on the destination is taken to be down, and tries are spaced
// like retries, by the number of copies that met silence. The same copy again
// counts nothing, so a single bad one never slows down the others.
type outage struct {
	number  uint64 // of the present or last outage
	copies  int    // that met silence in it; 0 = all is well
	probing int    // sends under way that were begun in it
	retryAt instant
}

// certain reports whether the destination is taken to be down.
func (o *outage) certain() bool { return o.copies > 1 }

// next is the instant from which one more send may begin.
func (o *outage) next() instant {
	switch {
	case o.copies == 0:
		return 0
	case o.probing > 0:
		return never
	default:
		return o.retryAt
	}
}

// begins notes that a send begins and reports whether it is a probe.
func (o *outage) begins() bool {
	if o.copies == 0 {
		return false
	}
	o.probing++
	return true
}

// silence: the lane's head met no answer.
func (q *Queue) silence(l *lane) {
	o := &q.outage
	if o.copies == 0 {
		o.number++
	}
	if l.head.outage == o.number {
		return
	}
	l.head.outage = o.number
	o.copies++
	q.failed.push(l)
	if !o.certain() {
		o.retryAt = q.v
		return
	}
	o.retryAt = q.in(q.policy.Retry.base(o.copies - 2))
}

// doubt makes a known outage a suspected one: after a pause nobody knows.
func (o *outage) doubt(v instant) {
	o.copies = min(o.copies, 1)
	o.retryAt = min(o.retryAt, v)
}

// answered: the lane's copy met an answer, whatever it says. Lanes that the
// outage has kept waiting go on, each at most once until it meets an answer.
func (q *Queue) answered(l *lane) {
	l.spared = false
	o := &q.outage
	if o.copies == 0 {
		return
	}
	certain := o.certain()
	o.copies, o.retryAt = 0, 0
	for f := q.failed.pop(); f != nil; f = q.failed.pop() {
		if certain && f != l && !f.spared && f.head.outage == o.number {
			f.spared = true
			f.head.until = min(f.head.until, q.v)
			q.place(f)
		}
	}
}

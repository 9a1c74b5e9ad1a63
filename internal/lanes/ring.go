package lanes

// ring is a growing first-in-first-out list of lanes. A lane stands in it at
// most once, as its flag says; whoever takes one out looks whether it still
// belongs there, so nothing is ever searched for to be removed.
type ring struct {
	flag flags
	buf  []*lane
	head int
	n    int
}

// flags say in which rings a lane stands.
type flags uint8

const (
	inReady   flags = 1 << iota // its head may be sent
	inHungry                    // wants a page
	inResting                   // holds copies while it waits, so they may be dropped
	inOverdue                   // its head is past its deadline and was not tried yet
	inFailed                    // has met no answer in the present outage
	inEmpty                     // to be forgotten when the journal's news have caught up
)

// push appends the lane unless it is there already.
func (r *ring) push(l *lane) {
	if l.in&r.flag != 0 {
		return
	}
	l.in |= r.flag
	if r.n == len(r.buf) {
		r.grow()
	}
	r.buf[(r.head+r.n)&(len(r.buf)-1)] = l
	r.n++
}

func (r *ring) grow() {
	buf := make([]*lane, max(8, 2*len(r.buf)))
	for i := range r.n {
		buf[i] = r.buf[(r.head+i)&(len(r.buf)-1)]
	}
	r.buf, r.head = buf, 0
}

// front is the first lane, nil if there is none.
func (r *ring) front() *lane {
	if r.n == 0 {
		return nil
	}
	return r.buf[r.head]
}

// pop takes the first lane out, nil if there is none.
func (r *ring) pop() *lane {
	l := r.front()
	if l == nil {
		return nil
	}
	r.buf[r.head] = nil
	r.head = (r.head + 1) & (len(r.buf) - 1)
	r.n--
	l.in &^= r.flag
	return l
}

package lanes

// timers is a binary heap of lanes by the instant at which something is due for
// them. A lane stands in it at most once and knows its place.
type timers []*lane

// set gives the lane its instant; never takes it out.
func (t *timers) set(l *lane, at instant) {
	switch {
	case at == never && l.timer < 0:
	case at == never:
		t.remove(l)
	case l.timer < 0:
		l.due, l.timer = at, len(*t)
		*t = append(*t, l)
		t.up(l.timer)
	default:
		l.due = at
		t.up(l.timer)
		t.down(l.timer)
	}
}

func (t *timers) remove(l *lane) {
	h, i := *t, l.timer
	last := len(h) - 1
	h.swap(i, last)
	h[last] = nil
	*t = h[:last]
	l.timer = -1
	if i < last {
		t.up(i)
		t.down(i)
	}
}

// next is the earliest instant.
func (t timers) next() instant {
	if len(t) == 0 {
		return never
	}
	return t[0].due
}

func (t timers) swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].timer, t[j].timer = i, j
}

func (t timers) up(i int) {
	for i > 0 {
		p := (i - 1) / 2
		if t[p].due <= t[i].due {
			return
		}
		t.swap(i, p)
		i = p
	}
}

func (t timers) down(i int) {
	for {
		c := 2*i + 1
		if c >= len(t) {
			return
		}
		if c+1 < len(t) && t[c+1].due < t[c].due {
			c++
		}
		if t[i].due <= t[c].due {
			return
		}
		t.swap(i, c)
		i = c
	}
}

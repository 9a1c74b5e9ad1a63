package lanes

// lane gives the lane of that name, making it if it has none: everything before
// at has left then.
func (q *Queue) lane(name string, at Cursor) (l *lane, made bool) {
	if l := q.lanes[name]; l != nil {
		return l, false
	}
	l = q.blank()
	l.name, l.index, l.done, l.loaded, l.tail = name, len(q.all), at, at, at
	if until, ok := q.pauses[name]; ok && until > q.v {
		l.pause, l.resume = true, until
	}
	q.lanes[name] = l
	q.all = append(q.all, l)
	return l, true
}

const mostSpare = 64 // forgotten lanes that are kept for use under another name

// blank gives a lane without anything. Most lanes live for one copy.
func (q *Queue) blank() *lane {
	n := len(q.spare)
	if n == 0 {
		return &lane{timer: -1}
	}
	l := q.spare[n-1]
	q.spare = q.spare[:n-1]
	*l = lane{timer: -1, copies: line{buf: l.copies.buf[:0]}}
	return l
}

// forget drops a lane without work. It must stay while memory is ahead of the
// journal's news: a page may have brought a copy, sent by now, that Added is
// about to announce, and only the lane knows that it is not new.
func (q *Queue) forget(l *lane) {
	if q.announced.Before(l.loaded) {
		q.empty.push(l)
		return
	}
	q.timers.set(l, never)
	l.gone = true
	delete(q.lanes, l.name)
	last := len(q.all) - 1
	q.all[l.index] = q.all[last]
	q.all[l.index].index = l.index
	q.all[last] = nil
	q.all = q.all[:last]
	if l.in == 0 && len(q.spare) < mostSpare { // it stands in no ring
		q.spare = append(q.spare, l)
	}
}

// sweep looks at two of the lanes that wait to be forgotten.
func (q *Queue) sweep() {
	for range min(2, q.empty.n) {
		q.place(q.empty.pop())
	}
}

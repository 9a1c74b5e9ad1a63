package transforms

// When does its steps where a condition holds.
type When struct {
	If Condition
	Do Chain
}

// Apply asks the condition and then does the steps. A step within keeps its own place.
func (w *When) Apply(in *Input) error {
	yes, err := w.If.Bool(in)
	if err != nil || !yes {
		return unread(err)
	}
	return w.Do.Apply(in)
}

// Use does steps that are written elsewhere under a name. A step within keeps
// its own place.
type Use struct {
	Name string
	Do   Chain
}

// Apply does the steps.
func (u *Use) Apply(in *Input) error { return u.Do.Apply(in) }

// End is hold, drop and reject as steps: it always stops.
type End struct{ Stop Stop }

// Apply gives the stop.
func (e *End) Apply(*Input) error {
	s := e.Stop
	return &s
}

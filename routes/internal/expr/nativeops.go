package expr

// both is && (end = false) and || (end = true). Either side can end it, even when
// the other fails: false && fault is false, and fault && false is too.
func both(left, right boolFn, end bool) node {
	return node{yes: func(v *view) (bool, error) {
		l, err := left(v)
		if err == nil && l == end {
			return end, nil
		}
		r, rerr := right(v)
		switch {
		case rerr == nil && r == end:
			return end, nil
		case err != nil:
			return false, err
		case rerr != nil:
			return false, rerr
		}
		return !end, nil
	}}
}

func not(x boolFn) node {
	return node{yes: func(v *view) (bool, error) {
		b, err := x(v)
		return err == nil && !b, err
	}}
}

// choose is condition ? a : b; only the chosen side is evaluated.
func choose(args []node) (node, bool) {
	cond, a, b := args[0].yes, args[1], args[2]
	switch {
	case a.text != nil && b.text != nil:
		return node{text: func(v *view) (string, error) {
			yes, err := cond(v)
			switch {
			case err != nil:
				return "", err
			case yes:
				return a.text(v)
			}
			return b.text(v)
		}}, true
	case a.yes != nil && b.yes != nil:
		return node{yes: func(v *view) (bool, error) {
			yes, err := cond(v)
			switch {
			case err != nil:
				return false, err
			case yes:
				return a.yes(v)
			}
			return b.yes(v)
		}}, true
	case a.number != nil && b.number != nil:
		return node{number: func(v *view) (int64, error) {
			yes, err := cond(v)
			switch {
			case err != nil:
				return 0, err
			case yes:
				return a.number(v)
			}
			return b.number(v)
		}}, true
	}
	return node{}, false
}

func equal(args []node, want bool) (node, bool) {
	a, b := args[0], args[1]
	if a.fixed != nil {
		a, b = b, a // a fixed text cannot fail, so which comes first does not matter
	}
	switch {
	case a.text != nil && b.fixed != nil:
		x, s := a.text, *b.fixed
		return node{yes: func(v *view) (bool, error) {
			t, err := x(v)
			return err == nil && (t == s) == want, err
		}}, true
	case a.text != nil && b.text != nil:
		return node{yes: func(v *view) (bool, error) {
			s, t, err := two(v, a.text, b.text)
			return err == nil && (s == t) == want, err
		}}, true
	case a.number != nil && b.number != nil:
		return numbers(a.number, b.number, func(i, j int64) bool { return (i == j) == want }), true
	case a.yes != nil && b.yes != nil:
		return node{yes: func(v *view) (bool, error) {
			i, err := a.yes(v)
			if err != nil {
				return false, err
			}
			j, err := b.yes(v)
			return err == nil && (i == j) == want, err
		}}, true
	}
	return node{}, false
}

func numbers(x, y numberFn, is func(i, j int64) bool) node {
	return node{yes: func(v *view) (bool, error) {
		i, err := x(v)
		if err != nil {
			return false, err
		}
		j, err := y(v)
		return err == nil && is(i, j), err
	}}
}

func texts(x, y textFn, is func(s, t string) bool) (node, bool) {
	return node{yes: func(v *view) (bool, error) {
		s, t, err := two(v, x, y)
		return err == nil && is(s, t), err
	}}, true
}

// few is up to how many texts are compared one by one.
const few = 12

func oneOf(x textFn, set []string) node {
	if len(set) <= few {
		return node{yes: func(v *view) (bool, error) {
			s, err := x(v)
			if err != nil {
				return false, err
			}
			for _, t := range set {
				if s == t {
					return true, nil
				}
			}
			return false, nil
		}}
	}
	known := make(map[string]bool, len(set))
	for _, t := range set {
		known[t] = true
	}
	return node{yes: func(v *view) (bool, error) {
		s, err := x(v)
		return err == nil && known[s], err
	}}
}

func inList(x textFn, list listFn) node {
	return node{yes: func(v *view) (bool, error) {
		s, err := x(v)
		if err != nil {
			return false, err
		}
		l, err := list(v)
		if err != nil {
			return false, err
		}
		for _, t := range l {
			if s == t {
				return true, nil
			}
		}
		return false, nil
	}}
}

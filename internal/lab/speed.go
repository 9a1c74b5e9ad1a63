package main

import "context"

const (
	memoryLimit = 150 << 20
	groupLimit  = 300 << 20
	share       = 0.60 // of the floor
	boxWindow   = 2000 // undelivered messages that the sender may be ahead of the mailbox
)

// runSpeed measures the engine against the floors of floor.go, in turns on the same
// disk, with the same sender.
func runSpeed(ctx context.Context, l *lab) error {
	s := &speed{lab: l}
	for _, part := range []func(context.Context) error{s.accepting, s.queueing, s.delivering, s.inGroup, s.starting} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

type speed struct{ *lab }

// fiveSteps are what an ordinary feed does to an ADT message.
const fiveSteps = `tables:
  sex: { rows: { "M": "1", "F": "2", "U": "0" } }
transform:
  - set: { MSH-3: SPINE, MSH-4: HUB }
  - map: { at: PID-8, table: sex, unmapped: keep }
  - copy: { from: PID-3(5=PI).1, to: PID-4.1 }
  - set: { PV1-19.1: '= msg["PV1-19.1"].trim().upperAscii()' }
  - remove: ["ZPI(*)"]
`

// project is a feed of five steps with this deliver list. The listener knows
// duplicates only where more says so.
func (s *speed) project(name, deliver, top, more string) (project, error) {
	dir, err := s.sub(name)
	if err != nil {
		return project{}, err
	}
	listen, err := freePort()
	if err != nil {
		return project{}, err
	}
	p := project{dir: dir, listen: listen, top: top, extra: more, feed: fiveSteps + "deliver:\n" + deliver + "unrouted: { drop: \"nobody wants it\" }\n"}
	return p, p.write()
}

// nobody is a destination that these messages do not go to.
func nobody() string { return toMailbox("nobody", "    when: msg[\"PV1-2\"] == \"O\"\n") }

func errText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

func (s *speed) judge(what string, engine, floor sample, name string) {
	r := ratio(engine.median(), floor.median())
	s.check(r >= share, "%s is %.2f of the %s (at least %.2f)", what, r, name, share)
}

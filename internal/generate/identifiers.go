package generate

import (
	"fmt"

	"github.com/spine-engine/spine-engine/transforms/forms"
)

// numbers walks a range of a million in an order that looks like chance and comes
// back to a number only when it has used all: the step has no factor in common with
// the size.
type numbers struct{ at, step int }

const million = 1_000_000

func newNumbers(d dice) *numbers {
	step := d.between(100_000, 900_000)
	for step%2 == 0 || step%5 == 0 {
		step++
	}
	return &numbers{at: d.n(million), step: step}
}

func (n *numbers) next() int {
	n.at = (n.at + n.step) % million
	return n.at
}

// nhsNumber is the next number of the 999 range that has a check digit: one in
// eleven has none and is passed over.
func (g *Generator) nhsNumber() string {
	for {
		nine := fmt.Sprintf("999%06d", g.nhs.next())
		if check, ok := forms.NHSCheckDigit(nine); ok {
			return nine + string(check)
		}
	}
}

// localNumber is the hospital's own number of a patient.
func (g *Generator) localNumber() string { return fmt.Sprintf("H%06d", g.local.next()) }

// count gives the next of a running number, such as V0000012.
func (g *Generator) count(prefix string, c *int) string {
	*c++
	return fmt.Sprintf("%s%07d", prefix, *c)
}

// controlID has 16 characters; MSH-10 takes 20. Its middle tells generators with
// different seeds apart.
func (g *Generator) controlID() string {
	g.messages++
	return fmt.Sprintf("GEN%05X%08d", (g.o.Seed^g.o.Seed>>20^g.o.Seed>>40)&0xfffff, g.messages)
}

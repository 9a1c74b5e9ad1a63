package routes

import "fmt"

// Within a decision every document that a feed takes, and every part it makes of
// one, has a number that no other of that feed has, so that a person can release
// it alone (message.Part.Number):
//
//	0                  the message itself, or the whole of it from another feed
//	7                  part 7 of it
//	7·10,000 + 3       part 3 that a second feed makes of part 7
//	1·10^12 + 7        part 7 on the second way that leads to the feed
//
// The ways to a feed are its own sources (together one) and each destination of
// another feed that hands on to it, in the order of the files.
const (
	partsWithin = 10_000
	waysApart   = 1_000_000_000_000
	mostWays    = 1_000_000 // so that a number fits
)

// numberOfPart numbers part i, from 1, of a document.
func numberOfPart(of, i int) int {
	return of/waysApart*waysApart + of%waysApart*partsWithin + i
}

// numberOn numbers, within the feed it goes to, a document that an output hands on.
func numberOn(o *output, number int) (int, error) {
	way := number/waysApart*o.feed.ways + o.way
	if way >= mostWays {
		return 0, fmt.Errorf("more than %d ways lead to the feed %s", mostWays, o.feed.name)
	}
	return way*waysApart + number%waysApart, nil
}

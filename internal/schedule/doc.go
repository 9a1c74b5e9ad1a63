// Package schedule puts a destination's policy, as a feed declares it, in the
// words of the scheduler: the one translation that the running engine and the
// tests of feeds share, so that a test retries as the engine would.
//
// It decides nothing, keeps nothing and reads no clock. The engine and the
// runner of feed tests import it.
package schedule

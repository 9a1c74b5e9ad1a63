// Package arrows holds the tests that keep the structure of the whole module:
// which room may import which, and which library stays in which room. It has no
// code of its own, and nothing imports it.
package arrows

// Package storetest is the contract of package store as tests. Every backend
// passes Run: one case for each promise, and long runs of random operations,
// reopenings and crashes compared with a model made of a map and a slice.
//
// The seed of the random runs is printed; SPINE_SEED=<n> repeats a run. Only the
// tests of backends import this package.
package storetest

// Package nets is what adapters that speak TCP have in common: addresses,
// allow-lists and TLS as the configuration spells them, binding a port with
// errors that say whom to ask, a door that counts who is inside, and a log that
// stays readable under a flood.
//
// It carries no protocol, never serves a connection and never logs by itself.
// Only packages below adapters import it.
package nets

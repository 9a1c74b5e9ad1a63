// Package httpio carries messages over HTTP: a listener (source) and a sender
// (destination).
package httpio

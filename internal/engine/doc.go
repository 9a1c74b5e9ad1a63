// Package engine runs a project: it accepts messages from sources, delivers
// copies to destinations, and reloads. It owns every goroutine of a running
// engine and waits for each of them.
//
// The life of a message is two functions: Engine.accept (accept.go) takes it
// from a source to durable; queue.send (deliver.go) takes a copy from its lane to
// its destination, and queue.record makes the answer durable.
//
// The engine holds no rule (routes decides), no order (internal/lanes schedules)
// and no bytes (store keeps them). It never logs content. cmd and the console's
// caller import it; nothing below it may.
package engine

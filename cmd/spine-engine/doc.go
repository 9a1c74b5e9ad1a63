// Command spine-engine is the message integration engine: it takes HL7 v2 from
// MLLP sockets and mailbox directories, applies declared rules, and delivers to
// mailboxes and MLLP peers through durable retry queues.
//
// Each command is one small file. kinds.go lists the adapter kinds, storage.go
// opens the store, client.go finds the engine or stands in for it.
package main

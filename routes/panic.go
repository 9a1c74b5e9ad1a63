package routes

import (
	"fmt"
	"runtime"
	"strings"

	"github.com/spine-engine/spine-engine/internal/message"
)

// broken is the decision after a panic. Only texts of the runtime are shown:
// any other value might hold content.
func (p *Plan) broken(env *message.Envelope, v any) *message.Decision {
	why := fmt.Sprintf("internal error of type %T", v)
	if e, ok := v.(runtime.Error); ok {
		why = "internal error: " + e.Error()
	}
	return &message.Decision{Envelope: env, Plan: p.hash, Outcome: message.Held, Reply: stored(env),
		Parts: []message.Part{{Outcome: message.Held, Rule: message.Place{File: "panic"}, Reason: why + panicSite()}}}
}

// panicSite is where in the program the panic began: the first function below
// the runtime's own.
func panicSite() string {
	var pcs [32]uintptr
	frames := runtime.CallersFrames(pcs[:runtime.Callers(0, pcs[:])])
	raised := false
	for {
		f, more := frames.Next()
		switch {
		case f.Function == "runtime.gopanic":
			raised = true
		case raised && !strings.HasPrefix(f.Function, "runtime."):
			return fmt.Sprintf(" in %s, line %d", f.Function, f.Line)
		}
		if !more {
			return ""
		}
	}
}

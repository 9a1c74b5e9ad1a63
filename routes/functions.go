package routes

import "github.com/spine-engine/spine-engine/routes/internal/expr"

// Function is one function of expressions, as the reference shows it.
type Function = expr.Function

// FunctionSample is the message that the examples of functions read.
const FunctionSample = expr.Sample

// Functions is every function that expressions have, in the order of the reference.
func Functions() []Function { return expr.Functions() }

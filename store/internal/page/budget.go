package page

import "context"

// budgetKey is the key of a budget in a context.
type budgetKey struct{}

// WithBudget returns a context for a listing that passes over at most about n records, and not
// [Budget]; below 1 it is 1. A store over several gives each its share by it: then a call of all
// together passes over no more than that of one.
//
// It is in the context, and no argument, because the stores may be wrapped by some that know
// nothing of it.
func WithBudget(ctx context.Context, n int) context.Context {
	return context.WithValue(ctx, budgetKey{}, max(n, 1))
}

// BudgetOf returns how many records a listing of a context may pass over: [Budget], unless
// WithBudget says otherwise.
func BudgetOf(ctx context.Context) int {
	if n, ok := ctx.Value(budgetKey{}).(int); ok {
		return n
	}
	return Budget
}

// Within returns the walk with n in place of [Budget]; what is a part of that becomes a part of n.
func (w Walk[T]) Within(n int) Walk[T] {
	if n == Budget {
		return w
	}
	return func(
		from Cursor, budget int, visit func(Position, *T) bool,
	) (gaveUp *Position, err error) {
		// One at least: a walk that may pass over nothing would give up where it has begun.
		return w(from, max(budget*n/Budget, 1), visit)
	}
}

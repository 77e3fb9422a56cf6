package calls

import (
	"context"

	"github.com/outhook/outhook/store"
)

// Answer is what a store returned.
type Answer[T any] struct {
	Out T
	Err error
}

// Each calls f for all of the stores at the same time and returns when all have returned, or when
// ctx has ended, with its error. The answers are in the order of the stores. It returns
// [store.ErrClosed] if the group is closed.
func Each[S, T any](
	ctx context.Context, g *Group, stores []S, f func(context.Context, S) (T, error),
) ([]Answer[T], error) {
	if len(stores) == 1 { // as a rule, and it needs no goroutine
		out, err := f(ctx, stores[0])
		return []Answer[T]{{out, err}}, ctx.Err()
	}
	// Two slices: when ctx ends, the goroutines still write to results, which the caller must not
	// get to see.
	answers, results := make([]Answer[T], len(stores)), make([]Answer[T], len(stores))
	arrived := make(chan int, len(stores)) // with room for all, so that none stays behind
	for i, s := range stores {
		if !g.Start(func() {
			results[i].Out, results[i].Err = Guard(func() (T, error) { return f(ctx, s) })
			arrived <- i
		}) {
			return nil, store.ErrClosed
		}
	}
	for range stores {
		select {
		case i := <-arrived:
			answers[i] = results[i]
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	return answers, nil
}

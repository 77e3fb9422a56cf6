package shards

import (
	"context"
	"errors"
	"fmt"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Error says that one of the stores is in trouble: the call failed for what that store has, and
// says nothing about the others. What is wrong with the arguments of a call, or that what it asks
// for does not exist, is no trouble, and returned as the store says it.
type Error struct {
	Shard int   // which, counted from 0
	Err   error // what it said
}

func (e *Error) Error() string { return fmt.Sprintf("shards: store %d: %v", e.Shard, e.Err) }

// Unwrap returns what the store said, unless that is that it was closed: [store.ErrClosed] is for
// all of a Store, and anybody who sees it stops.
func (e *Error) Unwrap() error {
	if errors.Is(e.Err, store.ErrClosed) {
		return nil
	}
	return e.Err
}

// wrap returns what the caller gets of an error of a shard.
func (sh *shard) wrap(err error) error {
	if err == nil || isAnswer(err) {
		return err
	}
	return &Error{sh.index, err}
}

// isAnswer reports whether an error is what a store that works says of a call.
func isAnswer(err error) bool {
	var invalid *events.InvalidError
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) ||
		errors.Is(err, store.ErrMoved) || errors.As(err, &invalid) ||
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// guard makes an error of a panic, in a goroutine of ours: a store that panics is one in trouble,
// and must not end the host.
func guard[T any](call func() (T, error)) (out T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the store panicked: %v", p)
		}
	}()
	return call()
}

// each calls f for all of the shards at the same time and returns when all have returned, or when
// ctx has ended. It returns the results by the index of the shard.
func each[T any](
	ctx context.Context, s *Store, shards []*shard, f func(context.Context, *shard) (T, error),
) ([]answer[T], error) {
	if len(shards) == 1 {
		out, err := f(ctx, shards[0])
		return []answer[T]{{out, err}}, ctx.Err()
	}
	answers := make([]answer[T], len(shards))
	arrived := make(chan int, len(shards))
	results := make([]answer[T], len(shards))
	for i, sh := range shards {
		if !s.start(func() {
			results[i].out, results[i].err = guard(func() (T, error) { return f(ctx, sh) })
			arrived <- i
		}) {
			return nil, store.ErrClosed
		}
	}
	for range shards {
		select {
		case i := <-arrived:
			answers[i] = results[i]
		case <-ctx.Done():
			return nil, ctx.Err() // they end soon, and nobody reads results any more
		}
	}
	return answers, nil
}

// answer is what a shard returned.
type answer[T any] struct {
	out T
	err error
}

package shards

import (
	"errors"
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/shards/internal/calls"
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

// wrap returns what the caller gets of an error of a shard: trouble gets the shard's number, and an
// answer stays as it is.
func (sh *shard) wrap(err error) error {
	if err == nil || calls.IsAnswer(err) {
		return err
	}
	return &Error{sh.index, err}
}

// firstError returns err, or else the first of the shards' errors.
func firstError[T any](shards []*shard, answers []calls.Answer[T], err error) error {
	for i := range answers {
		if err == nil {
			err = shards[i].wrap(answers[i].Err)
		}
	}
	return err
}

// firstOf returns the first of two errors. They are not joined: a caller is told of one trouble at
// a time, and each is told of again as long as it lasts.
func firstOf(a, b error) error {
	if a != nil {
		return a
	}
	return b
}

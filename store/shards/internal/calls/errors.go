package calls

import (
	"context"
	"errors"
	"fmt"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// IsAnswer reports whether an error is what a store that works says of a call. Every other error
// says that the store is in trouble.
func IsAnswer(err error) bool {
	var invalid *events.InvalidError
	return errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) ||
		errors.Is(err, store.ErrMoved) || errors.As(err, &invalid) ||
		// The caller has left, which says nothing about the store.
		errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// Guard returns what call returns, and a panic as an error.
func Guard[T any](call func() (T, error)) (out T, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the store panicked: %v", p)
		}
	}()
	return call()
}

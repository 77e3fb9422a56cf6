package main

import (
	"context"
	"sync"
)

// workers are goroutines that take what there is to deliver, for those that bring none.
type workers[T any] struct {
	todo   chan T
	wake   chan struct{} // has room for one: there may be something new
	quit   context.CancelFunc
	ending sync.WaitGroup
	once   sync.Once
	failed error // the first error; after end
}

// startWorkers runs fetch in a goroutine, which hands on what it finds, and deliver in n others.
// When fetch has found nothing, it is called again after wakeUp.
func startWorkers[T any](
	n int, fetch func(ctx context.Context, hand func(T)) (found bool, err error),
	deliver func(T) error,
) *workers[T] {
	ctx, quit := context.WithCancel(context.Background())
	w := &workers[T]{todo: make(chan T, n), wake: make(chan struct{}, 1), quit: quit}
	for range n {
		w.ending.Go(func() {
			for item := range w.todo {
				if err := deliver(item); err != nil {
					w.fail(err)
				}
			}
		})
	}
	w.ending.Go(func() {
		defer close(w.todo)
		for ctx.Err() == nil {
			found, err := fetch(ctx, func(item T) { w.todo <- item })
			if err != nil {
				w.fail(err)
				return
			}
			if found {
				continue
			}
			select {
			case <-w.wake:
			case <-ctx.Done():
			}
		}
	})
	return w
}

// wakeUp says that there may be something new.
func (w *workers[T]) wakeUp() {
	select {
	case w.wake <- struct{}{}:
	default: // it has been said
	}
}

func (w *workers[T]) fail(err error) { w.once.Do(func() { w.failed = err }) }

// end lets running deliveries finish, and returns the first error there was.
func (w *workers[T]) end() error {
	w.quit()
	w.ending.Wait()
	return w.failed
}

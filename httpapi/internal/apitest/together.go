package apitest

import (
	"context"
	"sync"

	"github.com/outhook/outhook/store"
)

// Together is a store whose updates of subscriptions can be made to begin at the same time: then
// all have read the same state before.
type Together struct {
	store.Store
	wait *sync.WaitGroup // nil: they do not wait
}

// AtOnce calls f with each number below n, at the same time. Each call must update a subscription
// once: the updates begin when all have come to theirs. It returns when all calls have.
func (s *Together) AtOnce(n int, f func(i int)) {
	s.wait = new(sync.WaitGroup)
	s.wait.Add(n)
	var calls sync.WaitGroup
	for i := range n {
		calls.Go(func() { f(i) })
	}
	calls.Wait()
	s.wait = nil
}

// UpdateSubscription is that of the store, after the others have come to theirs.
func (s *Together) UpdateSubscription(
	ctx context.Context, id string, change func(*store.Subscription) error,
) (store.Subscription, error) {
	if s.wait != nil {
		s.wait.Done()
		s.wait.Wait()
	}
	return s.Store.UpdateSubscription(ctx, id, change)
}

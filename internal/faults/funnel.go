package faults

import (
	"context"
	"runtime"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// funnel is a store whose calls are all made by one thread of the operating system, one after
// another. strace counts system calls by thread; so the n-th write of the host's file is always the
// same write. For that, the calls' contexts can't end: boltstore has a goroutine of its own commit
// for a caller that may leave.
//
// What the store has taken is marked on that thread too, before the next call. A publisher that is
// told of its event marks it later, when the thread may be at the next call: in a trace, its mark
// may stand behind a failure that its event has nothing to do with.
type funnel struct {
	closingStore
	marker *marker
	calls  chan func()
}

// newFunnel returns a funnel that has no store yet.
func newFunnel(m *marker) *funnel {
	f := &funnel{marker: m, calls: make(chan func())}
	go func() {
		runtime.LockOSThread()
		for call := range f.calls {
			call()
		}
	}()
	return f
}

// open opens the store, on the thread that will use it.
func (f *funnel) open(open func() (closingStore, error)) (closingStore, error) {
	_, err := through(f, func() (_ struct{}, err error) {
		f.closingStore, err = open()
		return struct{}{}, err
	})
	return f, err
}

// through makes a call on the funnel's thread.
func through[T any](f *funnel, call func() (T, error)) (out T, err error) {
	done := make(chan struct{})
	f.calls <- func() {
		defer close(done)
		out, err = call()
	}
	<-done
	return out, err
}

func (f *funnel) CreateSubscription(
	ctx context.Context, sub store.Subscription,
) (store.Subscription, error) {
	return through(f, func() (store.Subscription, error) {
		return f.closingStore.CreateSubscription(context.WithoutCancel(ctx), sub)
	})
}

func (f *funnel) UpdateSubscription(
	ctx context.Context, id string, change func(*store.Subscription) error,
) (store.Subscription, error) {
	return through(f, func() (store.Subscription, error) {
		return f.closingStore.UpdateSubscription(context.WithoutCancel(ctx), id, change)
	})
}

func (f *funnel) Enqueue(ctx context.Context, evs ...events.Event) error {
	_, err := through(f, func() (struct{}, error) {
		err := f.closingStore.Enqueue(context.WithoutCancel(ctx), evs...)
		if err == nil {
			for _, e := range evs {
				f.marker.mark(Stored, e.ID, "")
			}
		}
		return struct{}{}, err
	})
	return err
}

func (f *funnel) Claim(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
	return through(f, func() (store.ClaimResult, error) {
		return f.closingStore.Claim(context.WithoutCancel(ctx), req)
	})
}

func (f *funnel) Finish(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
	return through(f, func() ([]store.Result, error) {
		return f.closingStore.Finish(context.WithoutCancel(ctx), outcomes...)
	})
}

func (f *funnel) Prune(ctx context.Context, r store.Retention) (bool, error) {
	return through(f, func() (bool, error) {
		return f.closingStore.Prune(context.WithoutCancel(ctx), r)
	})
}

// Close implements io.Closer.
func (f *funnel) Close() error {
	_, err := through(f, func() (struct{}, error) { return struct{}{}, f.closingStore.Close() })
	close(f.calls)
	return err
}

package recorder_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/shards/internal/calls"
	"github.com/outhook/outhook/store/shards/internal/recorder"
)

var errDisk = errors.New("the disk is gone")

// books is a store that notes what it has taken.
type books struct {
	mu       sync.Mutex // guards below
	fail     error      // of each call, if it is not nil
	hang     bool       // until the context ends
	outcomes []store.Outcome
	leases   []store.Lease
	largest  int // of the calls of Finish
}

func (b *books) call(ctx context.Context) error {
	b.mu.Lock()
	fail, hang := b.fail, b.hang
	b.mu.Unlock()
	if hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return fail
}

func (b *books) Finish(ctx context.Context, o ...store.Outcome) ([]store.Result, error) {
	if err := b.call(ctx); err != nil {
		return nil, err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.outcomes, b.largest = append(b.outcomes, o...), max(b.largest, len(o))
	return make([]store.Result, len(o)), nil
}

func (b *books) Release(ctx context.Context, leases ...store.Lease) error {
	if err := b.call(ctx); err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.leases = append(b.leases, leases...)
	return nil
}

func (b *books) set(fail error, hang bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail, b.hang = fail, hang
}

// desk is a Recorder with what it tells.
type desk struct {
	*testing.T
	*recorder.Recorder
	books   *books
	trouble []error
	room    int
}

func withDesk(t *testing.T, f func(*desk)) {
	synctest.Test(t, func(t *testing.T) {
		d := &desk{T: t, books: &books{}}
		var mu sync.Mutex
		d.Recorder = recorder.New(d.books, recorder.Config{
			Calls: calls.NewGroup(),
			Wrap:  func(err error) error { return fmt.Errorf("store 7: %w", err) },
			Trouble: func(err error) {
				mu.Lock()
				defer mu.Unlock()
				d.trouble = append(d.trouble, err)
			},
			Room: func() {
				mu.Lock()
				defer mu.Unlock()
				d.room++
			},
		})
		defer d.Calls.Close(t.Context())
		f(d)
	})
}

// outcomes returns outcomes with the tokens from one on.
func outcomes(from, n int) (all []store.Outcome) {
	for i := range n {
		all = append(all, store.Outcome{Lease: store.Lease{Token: uint64(from + i)}})
	}
	return all
}

// recorded checks that the store has taken the outcomes with the tokens from 0 on, in order.
func (d *desk) recorded(n int) {
	d.Helper()
	synctest.Wait()
	d.books.mu.Lock()
	defer d.books.mu.Unlock()
	if len(d.books.outcomes) != n {
		d.Fatalf("recorded: got %d outcomes, want %d", len(d.books.outcomes), n)
	}
	for i, o := range d.books.outcomes {
		if o.Token != uint64(i) {
			d.Fatalf("recorded: outcome %d has the token %d, want them in order", i, o.Token)
		}
	}
}

// TestOutcomesAreKept has the store fail for a while. What came meanwhile is recorded in order when
// it is back, in calls of bounded size, and leases are given back.
func TestOutcomesAreKept(t *testing.T) {
	withDesk(t, func(d *desk) {
		d.books.set(errDisk, false)
		for i := range 10 {
			results, err := d.Finish(d.Context(), outcomes(100*i, 100))
			if err != nil || results != nil {
				d.Fatalf("Finish: got %v, %v, want neither", results, err)
			}
		}
		if err := d.Release(d.Context(), []store.Lease{{Token: 1}, {Token: 2}}); err != nil {
			d.Errorf("Release: %v", err)
		}
		<-time.After(time.Minute)
		d.recorded(0)
		if len(d.trouble) != 10 || !errors.Is(d.trouble[0], errDisk) || d.room != 0 {
			d.Errorf("told of trouble %q, and %d times of room", d.trouble, d.room)
		}
		d.books.set(nil, false)
		<-time.After(6 * time.Second) // it tries again each 5 s
		d.recorded(1000)
		if len(d.books.leases) != 2 || d.books.largest > 256 || d.room == 0 {
			d.Errorf("%d leases given back, %d outcomes in one call, %d times told of room",
				len(d.books.leases), d.books.largest, d.room)
		}
		results, err := d.Finish(d.Context(), outcomes(1000, 3))
		if err != nil || len(results) != 3 {
			d.Errorf("Finish of a store that works: got %v, %v", results, err)
		}
		d.recorded(1003)
	})
}

// TestAnswersAreNotKept wants what a store that works says to be returned, and not tried again.
func TestAnswersAreNotKept(t *testing.T) {
	withDesk(t, func(d *desk) {
		d.books.set(store.ErrNotFound, false)
		if _, err := d.Finish(d.Context(), outcomes(0, 1)); err != store.ErrNotFound {
			d.Errorf("Finish: got %v, want %v", err, store.ErrNotFound)
		}
		d.books.set(nil, false)
		<-time.After(time.Minute)
		d.recorded(0)
		if len(d.trouble) > 0 {
			d.Errorf("told of trouble: %v", d.trouble)
		}
	})
}

// TestFewWait has the store hang. Sixteen calls wait for it, for 5 s; others return soon, and
// theirs is kept.
func TestFewWait(t *testing.T) {
	withDesk(t, func(d *desk) {
		d.books.set(nil, true)
		var waiting sync.WaitGroup
		for i := range 16 {
			waiting.Go(func() {
				began := time.Now()
				if _, err := d.Finish(d.Context(), outcomes(i, 1)); err != nil {
					d.Errorf("Finish: %v", err)
				}
				if took := time.Since(began); took != 5*time.Second {
					d.Errorf("Finish took %v, want 5 s", took)
				}
			})
		}
		synctest.Wait()
		began := time.Now()
		if _, err := d.Finish(d.Context(), outcomes(16, 1)); err != nil {
			d.Errorf("Finish: %v", err)
		}
		if took := time.Since(began); took != 250*time.Millisecond {
			d.Errorf("one more Finish took %v, want 250 ms", took)
		}
		began = time.Now()
		if err := d.Release(d.Context(), []store.Lease{{Token: 1}}); err != nil {
			d.Errorf("Release: %v", err)
		}
		if took := time.Since(began); took != time.Second {
			d.Errorf("Release took %v, want 1 s", took)
		}
		waiting.Wait()
	})
}

// TestTooManyAreRefused fills what is kept. Then outcomes are refused, by an error with the store's
// name, and so they are their caller's still.
func TestTooManyAreRefused(t *testing.T) {
	withDesk(t, func(d *desk) {
		d.books.set(errDisk, false)
		var err error
		kept := 0
		for ; err == nil && kept < 1<<20; kept += 4096 {
			synctest.Wait() // none is being tried
			_, err = d.Finish(d.Context(), outcomes(kept, 4096))
		}
		if want := "store 7: it has not taken 65536 outcomes, and no more are kept"; err == nil ||
			err.Error() != want {
			d.Errorf("Finish: got error %v, want %q", err, want)
		}
		d.books.set(nil, false)
		<-time.After(6 * time.Second)
		d.recorded(65536)
	})
}

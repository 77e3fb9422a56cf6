package boltstore_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

var errDisk = errors.New("the disk is out of order")

func TestPublishersShareCommits(t *testing.T) {
	s := create(t, nil)
	subscribe(t, s)
	const publishers, each = 32, 20
	commits, free := 0, make(chan struct{})
	s.FailCommits(func(commit func() error) error {
		if commits++; commits == 1 {
			<-free // the others gather behind the first
		}
		return commit()
	})
	var wg sync.WaitGroup
	for p := range publishers {
		wg.Go(func() {
			for i := range each {
				if err := s.Enqueue(t.Context(),
					Event(fmt.Sprintf("event-%d-%d", p, i))); err != nil {
					t.Error(err)
				}
			}
		})
	}
	close(free)
	wg.Wait()
	if got, most := commits, publishers*each/2; got > most {
		t.Errorf("%d commits for %d calls, want at most %d", got, publishers*each, most)
	}
	if got, want := pending(t, s), publishers*each; got != want {
		t.Errorf("pending: got %d, want %d", got, want)
	}
	verify(t, s)
}

func TestFinishRidesOnAPublish(t *testing.T) {
	const enough = 32
	for _, tt := range []struct {
		name     string
		outcomes int
		state    store.State
		key      string
		rides    bool
	}{
		{"enough outcomes", enough, store.Delivered, "", true},
		{"few outcomes", enough - 1, store.Delivered, "", false},
		{"a failure", 1, store.Pending, "", true},
		{"what others of its key wait for", 1, store.Delivered, "key", true},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := create(t, nil)
			subscribe(t, s)
			evs := make([]events.Event, tt.outcomes)
			for i := range evs {
				evs[i] = Event(fmt.Sprintf("event-%d", i))
				evs[i].Key = tt.key
			}
			if err := s.Enqueue(t.Context(), evs...); err != nil {
				t.Fatal(err)
			}
			claims := claim(t, s, tt.outcomes)
			commits := 0
			s.FailCommits(func(commit func() error) error {
				commits++
				return commit()
			})
			start := time.Now()
			var wg sync.WaitGroup
			wg.Go(func() { finish(t, s, claims, tt.state, time.Hour) })
			synctest.Wait() // it waits for a commit to ride on
			publish(t, s, "more", 1)
			wg.Wait()
			if rode := commits == 1; rode != tt.rides || commits > 2 {
				t.Errorf("%s: %d commits with a publish, want it to ride: %t", tt.name, commits,
					tt.rides)
			}
			if took := time.Since(start); took > 10*time.Millisecond {
				t.Errorf("%s: took %v, want at most 10 ms", tt.name, took)
			}
			verify(t, s)
		})
	}
}

func TestCloseCommitsWhatWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, nil)
		subscribe(t, s)
		publish(t, s, "event", 1)
		claims := claim(t, s, 1)
		var wg sync.WaitGroup
		wg.Go(func() { finish(t, s, claims, store.Delivered, 0) })
		synctest.Wait()
		s = restart(t, s, nil)
		wg.Wait()
		if got := drain(t, s); len(got) != 0 {
			t.Errorf("what was finished before Close is claimed again: %v", got)
		}
	})
}

func TestCommitFails(t *testing.T) {
	for _, tt := range []struct {
		name   string
		commit func(commit func() error) error
		landed bool // the transaction is there, though the commit has failed
	}{
		{"before it", func(func() error) error { return errDisk }, false},
		{"in its last sync", func(commit func() error) error {
			return errors.Join(commit(),
				errDisk)
		}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := create(t, nil)
			id := subscribe(t, s)
			publish(t, s, "event", 3)
			claims := claim(t, s, 2)

			s.FailCommits(tt.commit)
			if err := s.Enqueue(t.Context(), Event("late")); !errors.Is(err, errDisk) {
				t.Errorf("Enqueue: got error %v, want the disk's", err)
			}
			_, err := s.Finish(t.Context(), store.Outcome{Lease: claims[0].Lease,
				State: store.Delivered})
			if !errors.Is(err, errDisk) {
				t.Errorf("Finish: got error %v, want the disk's", err)
			}
			_, err = s.UpdateSubscription(t.Context(), id, func(s *store.Subscription) error {
				s.Name = "new"
				return nil
			})
			if !errors.Is(err, errDisk) {
				t.Errorf("UpdateSubscription: got error %v, want the disk's", err)
			}
			s.FailCommits(nil)
			verify(t, s)

			if err := s.Enqueue(t.Context(), Event("late")); err != nil {
				t.Errorf("Enqueue again: %v", err)
			}
			results, err := s.Finish(t.Context(),
				store.Outcome{Lease: claims[0].Lease, State: store.Delivered})
			if err != nil || results[0].Ignored != tt.landed {
				t.Errorf("Finish again: got %+v, %v", results, err)
			}
			finish(t, s, claims[1:], store.Delivered, 0)
			if got, want := len(drain(t, s)), 2; got != want {
				t.Errorf("then there are %d more, want %d", got, want)
			}
			verify(t, s)
		})
	}
}

func TestFailedOperationLeavesTheOthers(t *testing.T) {
	s := create(t, nil)
	subscribe(t, s)
	publish(t, s, "taken", 1)
	other := Event("taken-0")
	other.Payload = []byte(`"other"`)

	hold := make(chan struct{})
	s.FailCommits(func(commit func() error) error {
		<-hold
		return commit()
	})
	var wg sync.WaitGroup
	for i := range 10 {
		wg.Go(func() {
			if err := s.Enqueue(t.Context(), Event(fmt.Sprintf("good-%d", i))); err != nil {
				t.Error(err)
			}
		})
		wg.Go(func() {
			if err := s.Enqueue(t.Context(), Event(fmt.Sprintf("half-%d", i)),
				other); !errors.Is(err, store.ErrConflict) {
				t.Errorf("got error %v, want store.ErrConflict", err)
			}
		})
	}
	close(hold)
	wg.Wait()
	if got, want := pending(t, s), 11; got != want {
		t.Errorf("pending: got %d, want %d", got, want)
	}
	verify(t, s)
}

func TestContextEndsWhileItWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, nil)
		subscribe(t, s)
		publish(t, s, "event", 1)
		claims := claim(t, s, 1)
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		wg.Go(func() {
			_, err := s.Finish(ctx, store.Outcome{Lease: claims[0].Lease, State: store.Delivered})
			if !errors.Is(err, context.Canceled) {
				t.Errorf("got error %v, want context.Canceled", err)
			}
		})
		synctest.Wait() // it waits for a commit to ride on
		cancel()
		wg.Wait()
		finish(t, s, claims, store.Delivered, 0) // the token is as good as before
		verify(t, s)
	})
}

func TestContextEndsWhileOthersLead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, nil)
		subscribe(t, s)
		hold := make(chan struct{})
		s.FailCommits(func(commit func() error) error {
			<-hold
			return commit()
		})
		ctx, cancel := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		for i := range 3 {
			wg.Go(func() {
				if err := s.Enqueue(t.Context(), Event(fmt.Sprintf("stays-%d", i))); err != nil {
					t.Error(err)
				}
			})
			synctest.Wait() // the first leads, the others wait
		}
		wg.Go(func() {
			if err := s.Enqueue(ctx, Event("leaves")); !errors.Is(err, context.Canceled) {
				t.Errorf("got error %v, want context.Canceled", err)
			}
		})
		synctest.Wait()
		cancel()
		synctest.Wait()
		close(hold)
		wg.Wait()
		if got, want := pending(t, s), 3; got != want {
			t.Errorf("pending: got %d, want %d", got, want)
		}
		verify(t, s)
	})
}

func TestCallbackPanics(t *testing.T) {
	s := create(t, nil)
	id := subscribe(t, s)
	func() {
		defer func() {
			if p := recover(); p != "host" {
				t.Errorf("got the panic %v, want the host's", p)
			}
		}()
		_, _ = s.UpdateSubscription(t.Context(), id, func(*store.Subscription) error {
			panic("host")
		})
	}()
	publish(t, s, "event", 1)
}

// TestContextEndsDuringACommitOfOthers leaves calls whose operation a transaction of others may
// have: they must not read what that still writes. The race detector sees it, if anything does: a
// test that waited for the right moment would order the two.
func TestContextEndsDuringACommitOfOthers(t *testing.T) {
	s := create(t, nil)
	subscribe(t, s)
	const each = 100
	var wg sync.WaitGroup
	for p := range 4 {
		wg.Go(func() {
			for i := range each {
				id := fmt.Sprintf("event-%d-%d", p, i)
				if err := s.Enqueue(t.Context(), Event(id)); err != nil {
					t.Error(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Duration(i*20)*time.Microsecond)
				q := store.EraseQuery{EventID: id}
				if i%2 == 0 {
					q = store.EraseQuery{Limit: 2}
				}
				n, _, err := s.Erase(ctx, q)
				cancel()
				if err != nil && (n != 0 || !errors.Is(err, context.DeadlineExceeded)) {
					t.Errorf("Erase: got %d, %v, want the error of the context alone", n, err)
				}
			}
		})
	}
	wg.Wait()
	// Erasures that were left may still be on their way. Commits go in order, so they are over when
	// one that comes later is.
	if err := s.Enqueue(t.Context(), Event("last")); err != nil {
		t.Fatal(err)
	}
	verify(t, s)
}

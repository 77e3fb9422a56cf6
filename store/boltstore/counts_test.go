package boltstore_test

import (
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// wantDay wants so many successes in the last day.
func wantDay(t *testing.T, s *boltstore.Store, id string, want int) {
	t.Helper()
	stats, err := s.Stats(t.Context(), id)
	if err != nil || stats.Day.Delivered != want || stats.Hour.Delivered > want {
		t.Errorf("the last day: got %+v, %v, want %d delivered", stats.Day, err, want)
	}
}

// wantCounts wants memory and the file to have so many buckets.
func wantCounts(t *testing.T, s *boltstore.Store, memory, file int) {
	t.Helper()
	if m, f := s.Counts(); m != memory || f != file {
		t.Errorf("memory and the file have %d and %d buckets, want %d and %d", m, f, memory, file)
	}
}

func wait(d time.Duration) {
	timer := time.NewTimer(d)
	<-timer.C
}

func TestCountsAreWrittenInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, nil)
		id := subscribe(t, s)
		publish(t, s, "event", 3)
		for n := range 3 {
			var commits atomic.Int32
			s.FailCommits(func(commit func() error) error {
				commits.Add(1)
				return commit()
			})
			finish(t, s, claim(t, s, 1), store.Delivered, 0)
			wantCounts(t, s, 1, min(n, 1))
			wantDay(t, s, id, n+1)
			if commits.Load() != 1 {
				t.Errorf("a Finish took %d commits", commits.Load())
			}
			wait(10 * time.Second)
			synctest.Wait()
			wantCounts(t, s, 0, 1)
			wantDay(t, s, id, n+1)
			if wait(time.Minute); commits.Load() != 2 {
				t.Errorf("counting it took %d commits, want one", commits.Load()-1)
			}
		}
		verify(t, s)
	})
}

func TestCountsAreWrittenByClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // so that all is in one slot
		s := create(t, nil)
		id := subscribe(t, s)
		for i := range 3 {
			publish(t, s, fmt.Sprint(i), 10)
			drain(t, s)
			wantDay(t, s, id, 10*(i+1))
			s = restart(t, s, nil)
			wantCounts(t, s, 0, 1)
			wantDay(t, s, id, 10*(i+1))
		}
	})
}

// TestCountsSurviveAFailedCommit has a commit fail that has them: they are in the next, once.
func TestCountsSurviveAFailedCommit(t *testing.T) {
	for _, landed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			s := create(t, nil)
			id := subscribe(t, s)
			publish(t, s, "event", 5)
			finish(t, s, claim(t, s, 5), store.Delivered, 0)
			s.FailCommits(func(commit func() error) error {
				if landed {
					_ = commit()
				}
				return errDisk
			})
			wait(10 * time.Second)
			synctest.Wait()
			wantDay(t, s, id, 5)
			s.FailCommits(nil)
			wait(10 * time.Second)
			synctest.Wait()
			wantCounts(t, s, 0, 1)
			wantDay(t, s, id, 5)
		})
	}
}

// TestCountsAfterAFailedCommit has a commit fail that has counts, and then others come that have
// not: of the store, and of the host. Stats leaves nothing out meanwhile.
func TestCountsAfterAFailedCommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, nil)
		id := subscribe(t, s)
		publish(t, s, "event", 5)
		finish(t, s, claim(t, s, 5), store.Delivered, 0)
		s.FailCommits(func(func() error) error { return errDisk })
		wait(10 * time.Second)
		synctest.Wait()
		s.FailCommits(nil)
		// the file's transactions get the number of the one that failed, and later ones
		for i := range 3 {
			wantDay(t, s, id, 5)
			if err := s.DB().Update(func(tx *bolt.Tx) error {
				b, err := tx.CreateBucketIfNotExists([]byte("host"))
				if err != nil {
					return err
				}
				return b.Put([]byte("key"), []byte{byte(i)})
			}); err != nil {
				t.Fatal(err)
			}
		}
		wantDay(t, s, id, 5)
		wantCounts(t, s, 1, 0)
		publish(t, s, "another", 1)
		wantDay(t, s, id, 5)
		wait(10 * time.Second)
		synctest.Wait()
		wantCounts(t, s, 0, 1)
		wantDay(t, s, id, 5)
	})
}

// TestCountsDuringACommit asks for them while they are on their way to the file, and there but not
// known to be.
func TestCountsDuringACommit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, nil)
		id := subscribe(t, s)
		publish(t, s, "event", 5)
		finish(t, s, claim(t, s, 5), store.Delivered, 0)
		var commits atomic.Int32
		s.FailCommits(func(commit func() error) error {
			wantDay(t, s, id, 5)
			err := commit()
			commits.Add(1)
			wantDay(t, s, id, 5)
			return err
		})
		wait(10 * time.Second)
		synctest.Wait()
		if commits.Load() != 1 {
			t.Errorf("got %d commits, want 1", commits.Load())
		}
	})
}

// TestCountsInMemoryAreBounded delivers to many without a pause.
func TestCountsInMemoryAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, nil)
		ids := make([]string, 1300)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() { ids[i] = subscribe(t, s) }) // together they share commits
		}
		wg.Wait()
		publish(t, s, "event", 1)
		drain(t, s)
		memory, file := s.Counts()
		if memory+file != len(ids) || memory > 500 {
			t.Errorf("memory and the file have %d and %d buckets of %d", memory, file, len(ids))
		}
		for _, id := range ids[:100] {
			wantDay(t, s, id, 1)
		}
		verify(t, s)
	})
}

func TestCountsArePruned(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, nil)
		id, other := subscribe(t, s), subscribe(t, s)
		for i := range 30 {
			publish(t, s, fmt.Sprint(i), 1)
			drain(t, s)
			wait(3 * time.Hour)
		}
		synctest.Wait()
		wantCounts(t, s, 0, 60)
		wantDay(t, s, id, 8)
		prune(t, s, store.Retention{})
		wantCounts(t, s, 0, 48)
		wantDay(t, s, id, 8)
		verify(t, s)
		if err := s.DeleteSubscription(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		prune(t, s, store.Retention{})
		wantCounts(t, s, 0, 24)
		wantDay(t, s, other, 8)
		verify(t, s)
		wait(73 * time.Hour)
		prune(t, s, store.Retention{})
		wantCounts(t, s, 0, 0)
		wantDay(t, s, other, 0)
	})
}

// TestCountsOfADeletedSubscription are nobody's, also while they are in memory, and also when the
// ID is used again.
func TestCountsOfADeletedSubscription(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, nil)
		id := subscribe(t, s)
		publish(t, s, "event", 1)
		drain(t, s)
		if err := s.DeleteSubscription(t.Context(), id); err != nil {
			t.Fatal(err)
		}
		sub := store.Subscription{ID: id, URL: "https://endpoint.example/",
			Status: store.Subscribed}
		if _, err := s.CreateSubscription(t.Context(), sub); err != nil {
			t.Fatal(err)
		}
		wantDay(t, s, id, 0)
		wait(10 * time.Second)
		synctest.Wait()
		wantCounts(t, s, 0, 0)
		wantDay(t, s, id, 0)
	})
}

// TestDamagedCounts are nothing, and harm nobody.
func TestDamagedCounts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := create(t, nil)
		id := subscribe(t, s)
		publish(t, s, "event", 2)
		finish(t, s, claim(t, s, 1), store.Delivered, 0)
		s = restart(t, s, nil)
		wantDay(t, s, id, 1)
		if !s.Damage("attempt_counts") {
			t.Fatal("there is nothing to damage")
		}
		wantDay(t, s, id, 0)
		drain(t, s)
		s = restart(t, s, nil)
		wantDay(t, s, id, 1)
	})
}

package buckets_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/boltstore/internal/txn/txntest"
)

// TestFirstSince looks for times among events, also after the system's clock was set back.
func TestFirstSince(t *testing.T) {
	f := txntest.New(t)
	f.Subscribe("sub", "")
	start := f.Wall
	times := []int{0, 10, 20, 20, 30, 5, 15, 40} // seconds; the clock goes back before the sixth
	seqs := make([]uint64, len(times))
	for i, at := range times {
		f.Wall = start.Add(time.Duration(at) * time.Second)
		seqs[i] = f.Enqueue(fmt.Sprintf("ev%d", i), "", "")
		if i != 4 {
			continue
		}
		for since, want := range map[int]uint64{
			-1: seqs[0], 0: seqs[0], 1: seqs[1], 20: seqs[2], 21: seqs[4], 31: seqs[4] + 1,
		} {
			checkFirstSince(t, f, start.Add(time.Duration(since)*time.Second), want)
		}
	}
	// Up to the latest time that an earlier event came after, order does not tell.
	for since, want := range map[int]uint64{0: 0, 5: 0, 30: 0, 31: seqs[7], 40: seqs[7]} {
		checkFirstSince(t, f, start.Add(time.Duration(since)*time.Second), want)
	}
}

// checkFirstSince checks the event from which on all events of a time can be.
func checkFirstSince(t *testing.T, f *txntest.File, since time.Time, want uint64) {
	t.Helper()
	f.View(func(tx *txn.Tx) error {
		got, err := tx.Events.FirstSince(since.UnixNano())
		if err != nil || got != want {
			t.Errorf("the first since %v is %d, %v, want %d", since, got, err, want)
		}
		return nil
	})
}

package rollup_test

import (
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
)

// delivered counts n successes of a subscription.
func delivered(b *rollup.Buffer, sub uint64, at int64, n int) {
	for range n {
		b.Add(sub, begin(at), attempt(200, time.Millisecond), true)
	}
}

// begin returns when a bucket begins.
func begin(at int64) time.Time { return time.Unix(at*int64(rollup.Length/time.Second), 0) }

// wantLen wants so many buckets in memory, and so many that are to be written.
func wantLen(t *testing.T, when string, b *rollup.Buffer, all, unwritten int) {
	t.Helper()
	if a, u := b.Len(); a != all || u != unwritten {
		t.Errorf("%s: got %d buckets, %d of them to be written, want %d and %d", when, a, u, all,
			unwritten)
	}
}

// missing returns how many successes a snapshot of a version lacks; ok as Missing says.
func missing(b *rollup.Buffer, sub, version uint64, now time.Time) (n int, ok bool) {
	w := rollup.NewWindow(now)
	ok = b.Missing(version, w, sub)
	return w.Day().Delivered, ok
}

func TestWindowOfADay(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	w := rollup.NewWindow(now)
	first, last := w.Range()
	for _, at := range []int64{first - 1, first, rollup.First(now, rollup.Hour) - 1,
		rollup.First(now, rollup.Hour), last, last + 1} {
		var b rollup.Bucket
		b.Add(begin(at), attempt(200, time.Millisecond), true)
		w.Add(at, &b)
	}
	if hour, day := w.Hour().Delivered, w.Day().Delivered; hour != 2 || day != 4 {
		t.Errorf("got %d in the hour and %d in the day, want 2 and 4", hour, day)
	}
}

// TestBatchesAreAdded has a store that adds each batch to what it has.
func TestBatchesAreAdded(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	at := rollup.At(now)
	b := rollup.NewBuffer(rollup.Options{})
	want := func(when string, version uint64, n int, ok bool) {
		t.Helper()
		if got, gotOK := missing(b, 1, version, now); got != n || gotOK != ok {
			t.Errorf("%s, a snapshot of version %d: got %d missing, %v, want %d, %v", when, version, got,
				gotOK, n, ok)
		}
	}
	delivered(b, 1, at, 3)
	want("before any batch", 0, 3, true)
	rows := b.Take(1)
	if len(rows) != 1 || rows[0].Key != (rollup.Key{Sub: 1, At: at}) ||
		rows[0].Counts.Stats().Delivered != 3 {
		t.Fatalf("the first batch: got %+v", rows)
	}
	delivered(b, 1, at, 1)
	want("while a batch is under way", 0, 4, true)
	want("while a batch is under way", 1, 1, true)
	b.Fail()
	want("when it has failed", 0, 4, true)
	if rows = b.Take(1); len(rows) != 1 || rows[0].Counts.Stats().Delivered != 4 {
		t.Fatalf("the batch after one that failed: got %+v", rows)
	}
	if rows = b.Take(1); len(rows) != 1 || rows[0].Counts.Stats().Delivered != 4 {
		t.Fatalf("the batch after one whose fate is unknown: got %+v", rows)
	}
	delivered(b, 1, at, 2)
	b.Confirm()
	want("when it is written", 0, 0, false)
	want("when it is written", 1, 2, true)
	wantLen(t, "when it is written", b, 1, 1)
	if rows = b.Take(2); len(rows) != 1 || rows[0].Counts.Stats().Delivered != 2 {
		t.Fatalf("what came meanwhile: got %+v", rows)
	}
	b.Confirm()
	wantLen(t, "when all is written", b, 0, 0)
	want("when all is written", 2, 0, true)
	if rows = b.Take(3); len(rows) != 0 {
		t.Errorf("a batch of nothing: got %+v", rows)
	}
	b.Confirm()
	want("after a batch of nothing", 2, 0, true)
}

// TestBatchesReplace has a store that writes a bucket again as a whole, until it is let go.
func TestBatchesReplace(t *testing.T) {
	b := rollup.NewBuffer(rollup.Options{MaxKept: 2})
	delivered(b, 1, 10, 1)
	first := b.Take(1)
	b.Confirm()
	wantLen(t, "when one is written", b, 1, 0)
	delivered(b, 1, 10, 1)
	again := b.Take(1)
	if len(again) != 1 || again[0].Writer != first[0].Writer ||
		again[0].Counts.Stats().Delivered != 2 {
		t.Fatalf("the same bucket again: got %+v, want both successes by the same writer", again)
	}
	b.Confirm()
	delivered(b, 2, 11, 1)
	b.Take(1)
	b.Confirm()
	wantLen(t, "when a later one is written", b, 1, 0)
	delivered(b, 1, 10, 1)
	if rows := b.Take(1); len(rows) != 1 || rows[0].Writer == first[0].Writer ||
		rows[0].Counts.Stats().Delivered != 1 {
		t.Fatalf("a bucket that was let go: got %+v, want one success by another writer", rows)
	}
	b.Confirm()
	delivered(b, 3, 11, 1)
	b.Take(1)
	delivered(b, 4, 11, 1)
	b.Confirm()
	wantLen(t, "when there are too many", b, 1, 1) // that which is not written stays
}

func TestOldBucketsAreDropped(t *testing.T) {
	b := rollup.NewBuffer(rollup.Options{})
	delivered(b, 1, 0, 1)
	delivered(b, 2, 0, 1)
	delivered(b, 1, 864, 1)
	wantLen(t, "after three days", b, 3, 3)
	delivered(b, 1, 865, 1)
	wantLen(t, "after more than three days", b, 3, 3) // the other subscription keeps its own
	b.Drop(1)
	wantLen(t, "after Drop", b, 1, 1)
	b.Of(1, func(row rollup.Row) { t.Errorf("after Drop there is %+v", row) })
}

// TestFlushComesInTime checks when Flush is called, in fake time.
func TestFlushComesInTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var b *rollup.Buffer
		start, calls := time.Now(), []time.Duration(nil)
		fail := false
		b = rollup.NewBuffer(rollup.Options{
			Delay: 10 * time.Second, MaxUnwritten: 2,
			Flush: func() {
				calls = append(calls, time.Since(start))
				b.Take(1)
				if fail {
					b.Fail()
					return
				}
				b.Confirm()
			},
		})
		pass := func(d time.Duration) {
			timer := time.NewTimer(d)
			<-timer.C
			synctest.Wait()
		}
		want := func(when string, at ...time.Duration) {
			t.Helper()
			if !slices.Equal(calls, at) {
				t.Errorf("%s: Flush was called at %v, want %v", when, calls, at)
			}
			start, calls = time.Now(), nil
		}
		delivered(b, 1, 0, 1)
		pass(5 * time.Second)
		delivered(b, 1, 0, 1)
		pass(time.Minute)
		want("after some counts", 10*time.Second)

		delivered(b, 1, 0, 1)
		b.Take(1) // by a commit that came before
		b.Confirm()
		pass(time.Minute)
		want("when they are written already")

		for sub := range uint64(3) {
			delivered(b, sub, 0, 1)
		}
		if !b.Full() {
			t.Error("with 3 buckets of 2 it is not full")
		}
		pass(time.Minute)
		want("when it is full", 0)

		fail = true
		for sub := range uint64(3) {
			delivered(b, sub, 0, 1)
		}
		pass(25 * time.Second)
		want("when it is full and fails", 0, 10*time.Second, 20*time.Second)

		b.Stop()
		delivered(b, 9, 0, 1)
		pass(time.Minute)
		want("after Stop")
		if rows := b.Take(1); len(rows) != 4 {
			t.Errorf("a last batch after Stop: got %d rows, want 4", len(rows))
		}
	})
}

// TestStopWaits checks that Stop returns when Flush has.
func TestStopWaits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun, goOn := make(chan struct{}), make(chan struct{})
		b := rollup.NewBuffer(rollup.Options{Flush: func() { close(begun); <-goOn }})
		delivered(b, 1, 0, 1)
		<-begun
		stopped := make(chan struct{})
		go func() { b.Stop(); close(stopped) }()
		synctest.Wait()
		select {
		case <-stopped:
			t.Error("Stop has returned while Flush runs")
		default:
		}
		close(goOn)
		<-stopped
	})
}

// TestBufferModel has a store that takes batches. Some fail, and of some nothing
// is heard. A reader of any snapshot finds, in the snapshot and in memory together, each attempt
// once.
func TestBufferModel(t *testing.T) {
	now := time.Date(2026, 7, 1, 12, 0, 0, 0, time.UTC)
	at := rollup.At(now)
	rapid.Check(t, func(t *rapid.T) {
		b := rollup.NewBuffer(rollup.Options{})
		snapshots := []map[uint64]int{{}} // by version
		counted := map[uint64]int{}
		var batch []rollup.Row
		read := func(version int) error {
			for sub := uint64(1); sub <= 3; sub++ {
				n, ok := missing(b, sub, uint64(version), now)
				if !ok && version == len(snapshots)-1 {
					return errors.New("the latest snapshot is too old")
				}
				if got := snapshots[version][sub] + n; ok && got != counted[sub] {
					t.Fatalf("subscription %d as of version %d: got %d, want %d", sub, version, got, counted[sub])
				}
			}
			return nil
		}
		write := func() {
			next := map[uint64]int{}
			for sub, n := range snapshots[len(snapshots)-1] {
				next[sub] = n
			}
			for _, row := range batch {
				next[row.Sub] += row.Counts.Stats().Delivered
			}
			snapshots = append(snapshots, next)
		}
		for range 50 {
			switch rapid.IntRange(0, 4).Draw(t, "what") {
			case 0, 1:
				sub := rapid.Uint64Range(1, 3).Draw(t, "sub")
				b.Add(sub, begin(at-rapid.Int64Range(0, 3).Draw(t, "ago")),
					&store.Attempt{Status: 200}, true)
				counted[sub]++
			case 2:
				batch = b.Take(uint64(len(snapshots)))
			case 3:
				if batch != nil {
					b.Fail()
					batch = nil
				}
			case 4:
				if batch != nil {
					write()
					if err := read(len(snapshots) - 1); err != nil { // written, and not known to be
						t.Fatal(err)
					}
					b.Confirm()
					batch = nil
				}
			}
			for version := range snapshots {
				if err := read(version); err != nil {
					t.Fatal(err)
				}
			}
		}
	})
}

package claims

import (
	"context"
	"math"

	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/schedule"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// loadLacks reads what the schedule lacks, and hands it over. One round trip for all of them,
// however many subscriptions lack something.
func (c *Claims) loadLacks(ctx context.Context, lacks []schedule.Lack) error {
	ld := newLoading(lacks)
	// Without the lock. What changes meanwhile the schedule keeps in mind, and prefers to what is
	// loaded.
	err := c.DB.Read(ctx, sqltx.Frequent, func(b *sqltx.Batch) { ld.queue(b, c.Replica) })
	c.Memory.Lock()
	defer c.Memory.Unlock()
	now := c.Clock.Now()
	for i := range lacks {
		if err != nil { // each lack must be answered, or the schedule asks for it no more
			c.Memory.Schedule.Load(&lacks[i], schedule.Loaded{}, now)
			continue
		}
		c.Memory.Load(&lacks[i], ld.loaded[i], ld.states[int64(lacks[i].Num)], now)
	}
	return err
}

// window names a window of a lack. Rows of a statement say which one they belong to.
type window struct {
	lack   int
	source order.Source
}

// loading is what some lacks ask for, as arguments of three statements, and what these return.
//
// A lack has several windows, and a statement the windows of several lacks. ord, the index in next
// or newest, leads back from a row to its window.
type loading struct {
	loaded []schedule.Loaded // by lack
	states replica.States

	nums []int64 // subscriptions to be read

	next       []window // that go on after a position
	nextOrds   []int32
	nextSubs   []int64
	afterDues  []int64
	afterSeqs  []int64
	areRetries []bool

	newest     []window // whose newest positions are asked for
	newestOrds []int32
	newestSubs []int64
}

// newLoading sorts what is asked for by statement. Windows of Packed are answered as empty and
// complete.
func newLoading(lacks []schedule.Lack) *loading {
	ld := &loading{loaded: make([]schedule.Loaded, len(lacks)), states: make(replica.States)}
	for i := range lacks {
		if lacks[i].State {
			ld.nums = append(ld.nums, int64(lacks[i].Num))
		}
		for _, source := range [...]order.Source{order.Packed, order.First, order.Retry} {
			if w := &lacks[i].Windows[source]; w.Needed {
				// Complete until a row says that there are more.
				ld.loaded[i].Windows[source] = schedule.LoadedWindow{OK: true, UpTo: w.After, Complete: true}
				ld.add(window{i, source}, int64(lacks[i].Num), w.After, w.Newest)
			}
		}
	}
	return ld
}

// add adds a window of a subscription to what is asked for.
func (ld *loading) add(w window, sub int64, after order.Position, newest bool) {
	switch {
	case w.source == order.Packed: // the database has none
	// A probe wants the newest first attempt that it can get, and only as many as a window has.
	case newest:
		ld.newestOrds = append(ld.newestOrds, int32(len(ld.newest)))
		ld.newestSubs = append(ld.newestSubs, sub)
		ld.newest = append(ld.newest, w)
	default:
		due := memory.DueOf(after)
		if w.source == order.Retry && due == 0 {
			due = 1 // first attempts have 0
		}
		ld.nextOrds = append(ld.nextOrds, int32(len(ld.next)))
		ld.nextSubs = append(ld.nextSubs, sub)
		ld.afterDues = append(ld.afterDues, due)
		// A position may be past all events. bigint has a sign.
		ld.afterSeqs = append(ld.afterSeqs, int64(min(after.Seq, math.MaxInt64)))
		ld.areRetries = append(ld.areRetries, w.source == order.Retry)
		ld.next = append(ld.next, w)
	}
}

// queue adds the statements to a transaction. No statement is sent of a kind that nothing asks for,
// as most loads are of one.
func (ld *loading) queue(b *sqltx.Batch, r *replica.Replica) {
	if len(ld.nums) > 0 {
		r.QueueStates(b, ld.nums, ld.states)
	}
	if len(ld.next) > 0 {
		// One row more than a window has says that there are more.
		b.Queue(r.SQL.Windows, ld.nextOrds, ld.nextSubs, ld.afterDues, ld.afterSeqs, ld.areRetries,
			memory.MaxWindow+1).Query(ld.readNext())
	}
	if len(ld.newest) > 0 {
		b.Queue(r.SQL.Newest, ld.newestOrds, ld.newestSubs, memory.MaxWindow).Query(ld.readNewest())
	}
}

// of returns what is loaded of a window.
func (ld *loading) of(w window) *schedule.LoadedWindow {
	return &ld.loaded[w.lack].Windows[w.source]
}

// readNext fills windows in order. What is canceled and has a row that does not say so counts to
// the limit of the statement, so a window may get fewer than it has room for, and go on behind
// them.
func (ld *loading) readNext() sqltx.Reader {
	var ord int32
	var due, seq int64
	var pending bool
	seen := make([]int, len(ld.next))
	return sqltx.Each([]any{&ord, &due, &seq, &pending}, func() {
		w := ld.of(ld.next[ord])
		// The one too many is not taken: it is read again with what follows it.
		if seen[ord]++; seen[ord] > memory.MaxWindow {
			w.Complete = false
			return
		}
		p := memory.PositionOf(due, uint64(seq))
		w.UpTo = p // past it too if it is not pending: it need not be read again
		if pending {
			w.Positions = append(w.Positions, p)
		}
	})
}

// readNewest takes first attempts only, whose due is 0.
func (ld *loading) readNewest() sqltx.Reader {
	var ord int32
	var seq int64
	var pending bool
	return sqltx.Each([]any{&ord, &seq, &pending}, func() {
		if pending {
			w := ld.of(ld.newest[ord])
			w.Positions = append(w.Positions, order.Position{Seq: uint64(seq)})
		}
	})
}

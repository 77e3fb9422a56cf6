package replica

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// closing are subscriptions of closed tenants, of which this replica may still have something
// leased. Leases are in its memory alone, and who moves a tenant waits until there are none: so the
// replica says when that is so.
type closing struct {
	mu   sync.Mutex // guards all below; it is held over nothing
	subs map[int64]bool
}

// note takes in which of some subscriptions, as they were read, are closed. It reports whether any
// was not known to be.
func (c *closing) note(nums []int64, states States) (added bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, num := range nums {
		if st := states[num]; st == nil || !st.Closed {
			delete(c.subs, num)
			continue
		}
		if c.subs == nil {
			c.subs = make(map[int64]bool)
		}
		added = added || !c.subs[num]
		c.subs[num] = true
	}
	return added
}

func (c *closing) list() (subs []int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for sub := range c.subs {
		subs = append(subs, sub)
	}
	return subs
}

func (c *closing) forget(subs []int64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, sub := range subs {
		delete(c.subs, sub)
	}
}

// drainPoll is how often it is looked whether what is closing has nothing leased any more.
const drainPoll = 100 * time.Millisecond

// stillClosing returns a channel that gets a value when it is time to look at what is closing
// again; nil if nothing is.
func (r *Replica) stillClosing() <-chan time.Time {
	if len(r.closing.list()) == 0 {
		return nil
	}
	return time.After(drainPoll)
}

// reportDrained writes of which closed subscriptions nothing is leased any more. Memory knows that
// they are closed, so nothing more is leased of them.
func (r *Replica) reportDrained(ctx context.Context) error {
	subs := r.closing.list()
	if len(subs) == 0 {
		return nil
	}
	var drained, gone []int64
	r.Memory.Lock()
	held, now := r.Memory.Held(), r.Clock.Now()
	for _, sub := range subs {
		switch {
		case !slices.Contains(held, memory.ShareOf(uint64(sub))): // the next owner has leased nothing
			gone = append(gone, sub)
		case r.Memory.InFlight(uint64(sub), now) == 0:
			drained = append(drained, sub)
		}
	}
	r.Memory.Unlock()
	r.closing.forget(gone)
	if len(drained) == 0 {
		return nil
	}
	err := sqltx.Retry(func() error {
		return r.DB.Write(ctx, sqltx.Local, func(b *sqltx.Batch) {
			r.QueueLock(b)
			b.Queue(r.SQL.Drained, drained, r.ID)
		})
	})
	if err == nil {
		r.closing.forget(drained)
	}
	return err
}

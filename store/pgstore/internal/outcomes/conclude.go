package outcomes

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// conclude records the outcomes that are not yet. It fills in their results only once the
// transaction is committed.
func (r *Recorder) conclude(ctx context.Context, all []*outcome, results []store.Result) error {
	var rest []int
	for i, o := range all {
		if !o.recorded {
			rest = append(rest, i)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	// Also for outcomes that end nothing: which they are is known only once their rows are locked.
	r.Keyed.Lock() // what ends may unblock others
	defer r.Keyed.Unlock()
	// Each try starts from the outcomes and decides all anew, as another may have changed the
	// deliveries in between. A row that was inserted since the look is one such error (see
	// queueWrites).
	err := sqltx.Retry(func() error {
		c := newConcluding(r, all, rest)
		if err := c.run(ctx); err != nil {
			return err
		}
		for j, i := range rest {
			results[i] = c.results[j]
		}
		return nil
	})
	// If it has committed, the caller's next try finds it done and frees nothing.
	r.DoubtAfter(err)
	return err
}

// concluding is one try to record outcomes. It is used by one goroutine. Nothing of it reaches
// memory before the commit.
type concluding struct {
	*Recorder
	outcomes []*outcome
	results  []store.Result

	now      time.Time  // the server's
	of       []*subject // by outcome; nil if there is no such delivery
	subjects map[memory.Delivery]*subject
	healths  map[int64]*healthChange // by subscription
	changed  []*subject              // in the order in which outcomes have changed them
	counted  []int                   // outcomes that are attempts
	freed    []memory.Change         // what they have unblocked
}

func newConcluding(r *Recorder, all []*outcome, rest []int) *concluding {
	c := &concluding{
		Recorder: r, results: make([]store.Result, len(rest)), of: make([]*subject, len(rest)),
		subjects: make(map[memory.Delivery]*subject), healths: make(map[int64]*healthChange),
	}
	for _, i := range rest {
		c.outcomes = append(c.outcomes, all[i])
	}
	return c
}

// healthChange is a subscription's health, as it is and as outcomes leave it. Several outcomes of a
// subscription change it one after the other, and it is written once.
type healthChange struct {
	*store.Health
	changed bool
}

// apply brings the health up to an outcome. It is rounded as the database rounds it: the caller's
// Result, memory and the row must be the same, or the next outcome would see a change where there
// is none.
func (h *healthChange) apply(o *store.Outcome, now time.Time) {
	after := record.AsStored(h.Next(o, now))
	if after != *h.Health {
		h.Health, h.changed = &after, true
	}
}

// run does it in two round trips, as health and attempts are reckoned in Go: the rules exist once,
// for all stores (store.Health). The rows stay locked between the two.
func (c *concluding) run(ctx context.Context) error {
	began := time.Now()
	server := c.Server()
	err := c.DB.WriteAfter(ctx, sqltx.Local, func(b *sqltx.Batch) {
		// First and alone: the statement after it must see who the owner is once the lock is had.
		c.QueueLock(b)
		c.queueSubjects(b)
	}, func(b *sqltx.Batch) {
		if !c.now.IsZero() {
			// Holds are counted from then: by this replica's clock it must not be later than now.
			c.Clock.Set(c.now, began, time.Now())
		}
		// In the order in which the callers gave them, which is the order of the attempts' numbers.
		for i := range c.outcomes {
			c.decide(i)
		}
		c.queueWrites(b)
	})
	// After an error nothing is told: whether it has committed may not be known, and the caller
	// comes again.
	if err == nil {
		c.tellMemory(server)
	}
	return err
}

// tellMemory tells memory what was recorded, and counts the attempts. All of it is one critical
// section, so that no Claim sees half of a transaction.
func (c *concluding) tellMemory(server int) {
	c.Memory.Lock()
	defer c.Memory.Unlock()
	c.Memory.Since(server)
	now := c.Clock.Now()
	// Health first: a delivery that becomes due is then in the turn of the new class.
	for num, h := range c.healths {
		if q := c.Memory.Schedule.Sub(uint64(num)); h.changed && q != nil {
			c.Memory.Schedule.SetHealth(q, h.Health, now)
		}
	}
	// Those of other owners' shares are passed over by Apply; their owners have got notices.
	for _, d := range c.changed {
		c.Memory.Apply(memory.Change{
			Delivery: d.name(), Pending: d.state == store.Pending, Due: d.due, EndLease: true,
		}, now)
	}
	// After those that have ended, which were before them in their key.
	for _, change := range c.freed {
		c.Memory.Apply(change, now)
	}
	for _, i := range c.counted {
		o := c.outcomes[i]
		c.counts.Add(uint64(c.of[i].num), now, &o.attempt, o.state == store.Delivered)
	}
}

package outcomes

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// conclude records the outcomes that are not yet.
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
	r.Keyed.Lock() // what ends may unblock others
	defer r.Keyed.Unlock()
	return sqltx.Retry(func() error {
		c := newConcluding(r, all, rest)
		if err := c.run(ctx); err != nil {
			return err
		}
		for j, i := range rest {
			results[i] = c.results[j]
		}
		return nil
	})
}

// concluding is one try to record outcomes.
type concluding struct {
	*Recorder
	outcomes []*outcome
	results  []store.Result

	now      time.Time // the server's
	of       []*subject
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

// healthChange is a subscription's health, as it is and as outcomes leave it.
type healthChange struct {
	store.Health
	changed bool
}

// apply brings the health up to an outcome.
func (h *healthChange) apply(o *store.Outcome, now time.Time) {
	after := record.AsStored(h.Next(o, now))
	h.changed = h.changed || after != h.Health
	h.Health = after
}

func (c *concluding) run(ctx context.Context) error {
	began := time.Now()
	err := c.DB.WriteAfter(ctx, sqltx.Local, func(b *sqltx.Batch) {
		c.QueueLock(b)
		c.queueSubjects(b)
	}, func(b *sqltx.Batch) {
		if !c.now.IsZero() {
			// Holds are counted from then: by this replica's clock it must not be later than now.
			c.Clock.Set(c.now, began, time.Now())
		}
		for i := range c.outcomes {
			c.decide(i)
		}
		c.queueWrites(b)
	})
	if err == nil {
		c.tellMemory()
	}
	return err
}

// tellMemory tells memory what was recorded, and counts the attempts.
func (c *concluding) tellMemory() {
	c.Memory.Lock()
	defer c.Memory.Unlock()
	now := c.Clock.Now()
	// Health first: a delivery that becomes due is then in the turn of the new class.
	for num, h := range c.healths {
		if q := c.Memory.Schedule.Sub(uint64(num)); h.changed && q != nil {
			c.Memory.Schedule.SetHealth(q, h.Health, now)
		}
	}
	for _, d := range c.changed {
		c.Memory.Apply(memory.Change{
			Delivery: d.name(), Pending: d.state == store.Pending, Due: d.due, EndLease: true,
		}, now)
	}
	for _, change := range c.freed {
		c.Memory.Apply(change, now)
	}
	for _, i := range c.counted {
		o := c.outcomes[i]
		c.counts.Add(uint64(c.of[i].num), now, &o.attempt, o.state == store.Delivered)
	}
}

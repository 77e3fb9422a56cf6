package storetest

import (
	"context"

	"github.com/outhook/outhook/events"
)

// HostTx is a transaction of the host's own in which a store enqueues events, as the EnqueueTx of boltstore and of
// pgstore does: what Enqueue was given is stored if and when Commit returns nil. Commit or Rollback ends it.
type HostTx interface {
	Enqueue(ctx context.Context, evs ...events.Event) error
	Commit(ctx context.Context) error
	Rollback(ctx context.Context) error
}

// hosted is how the suite begins transactions of the host's.
type hosted struct {
	begin func() HostTx

	// exclusive says that nobody else writes while one is open.
	exclusive bool
}

// enqueued begins a transaction of the host's and enqueues events in it.
func (c *check) enqueued(evs ...events.Event) HostTx {
	tx := c.hosted.begin()
	if err := tx.Enqueue(c.ctx, evs...); err != nil {
		c.must("Rollback", tx.Rollback(c.ctx))
		c.fatalf("Enqueue in a transaction of the host's: got error %v", err)
	}
	return tx
}

func hostRules() []rule {
	return []rule{
		{name: "commit", test: testHostCommit, hosted: true,
			rule: "What a transaction of the host's enqueues is there as soon as it commits, and not before."},
		{name: "rollback", test: testHostRollback, hosted: true,
			rule: "What a transaction of the host's enqueues is never there when it is rolled back."},
		{name: "several", test: testHostSeveral, hosted: true,
			rule: "What several transactions of the host's enqueue is all there once they have committed."},
	}
}

func testHostCommit(c *check) {
	c.subscribe()
	evs := c.messages(3)
	tx := c.enqueued(evs...)
	equal(c, "claims before the commit", len(c.claim(10)), 0)
	equal(c, "deliveries before the commit", len(c.everything()), 0)
	equal(c, "Pending before the commit", c.stats("").Pending, 0)
	c.must("Commit", tx.Commit(c.ctx))
	equal(c, "Pending", c.stats("").Pending, 3)
	equal(c, "deliveries", len(c.everything()), 3)
	c.sameIDs("claims", claimed(c.claim(10)), eventIDs(evs))
	c.must("Enqueue of what is stored", c.store.Enqueue(c.ctx, evs...))
	equal(c, "claims of what was enqueued again", len(c.claim(10)), 0)
}

func testHostRollback(c *check) {
	c.subscribe()
	evs := c.messages(2)
	c.must("Rollback", c.enqueued(evs...).Rollback(c.ctx))
	equal(c, "claims", len(c.claim(10)), 0)
	equal(c, "Pending", c.stats("").Pending, 0)
	c.enqueue(evs[1])
	c.sameIDs("claims", claimed(c.claim(10)), []string{evs[1].ID})
	equal(c, "deliveries", len(c.everything()), 1)
}

func testHostSeveral(c *check) {
	sub := c.subscribe()
	var want []string
	var open []HostTx
	for range 3 {
		evs := c.messages(2)
		want = append(want, eventIDs(evs)...)
		tx := c.enqueued(evs...)
		if c.hosted.exclusive {
			c.must("Commit", tx.Commit(c.ctx))
			continue
		}
		open = append(open, tx)
		want = append(want, c.publish(1)...)
	}
	for i := len(open) - 1; i >= 0; i-- {
		c.must("Commit", open[i].Commit(c.ctx))
	}
	equal(c, "Pending", c.stats(sub.ID).Pending, len(want))
	claims := c.claim(100)
	equal(c, "claims", len(claims), len(want))
	for _, cl := range claims {
		c.counts(delivered(cl))
	}
	equal(c, "Pending in the end", c.stats("").Pending, 0)
}

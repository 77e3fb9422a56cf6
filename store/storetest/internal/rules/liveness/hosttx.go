package liveness

import (
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func hostRules() []check.Rule {
	return []check.Rule{
		{Name: "commit", Test: testHostCommit, HostTx: true,
			Sentence: "Events of a host transaction are visible once it commits, and not before."},
		{Name: "rollback", Test: testHostRollback, HostTx: true,
			Sentence: "Events of a host transaction that is rolled back are never visible."},
		{Name: "several", Test: testHostSeveral, HostTx: true,
			Sentence: "Events of several host transactions are all visible once they have " +
				"committed."},
	}
}

func testHostCommit(c *check.Driver) {
	c.Subscribe()
	evs := c.Messages(3)
	tx := c.Enqueued(evs...)
	check.Equal(c, "claims before the commit", len(c.Claim(10)), 0)
	check.Equal(c, "deliveries before the commit", len(c.Everything()), 0)
	check.Equal(c, "Pending before the commit", c.Stats("").Pending, 0)
	c.Must("Commit", tx.Commit(c.Ctx()))
	check.Equal(c, "Pending", c.Stats("").Pending, 3)
	check.Equal(c, "deliveries", len(c.Everything()), 3)
	c.SameIDs("claims", check.Claimed(c.Claim(10)), check.EventIDs(evs))
	c.Must("Enqueue of what is stored", c.Store.Enqueue(c.Ctx(), evs...))
	check.Equal(c, "claims of what was enqueued again", len(c.Claim(10)), 0)
}

func testHostRollback(c *check.Driver) {
	c.Subscribe()
	evs := c.Messages(2)
	c.Must("Rollback", c.Enqueued(evs...).Rollback(c.Ctx()))
	check.Equal(c, "claims", len(c.Claim(10)), 0)
	check.Equal(c, "Pending", c.Stats("").Pending, 0)
	c.Enqueue(evs[1])
	c.SameIDs("claims", check.Claimed(c.Claim(10)), []string{evs[1].ID})
	check.Equal(c, "deliveries", len(c.Everything()), 1)
}

func testHostSeveral(c *check.Driver) {
	sub := c.Subscribe()
	var want []string
	var open []check.HostTx
	for range 3 {
		evs := c.Messages(2)
		want = append(want, check.EventIDs(evs)...)
		tx := c.Enqueued(evs...)
		if c.Hosted.Exclusive {
			c.Must("Commit", tx.Commit(c.Ctx()))
			continue
		}
		open = append(open, tx)
		want = append(want, c.Publish(1)...)
	}
	for i := len(open) - 1; i >= 0; i-- {
		c.Must("Commit", open[i].Commit(c.Ctx()))
	}
	check.Equal(c, "Pending", c.Stats(sub.ID).Pending, len(want))
	claims := c.Claim(100)
	check.Equal(c, "claims", len(claims), len(want))
	for _, cl := range claims {
		c.Counts(check.Delivered(cl))
	}
	check.Equal(c, "Pending in the end", c.Stats("").Pending, 0)
}

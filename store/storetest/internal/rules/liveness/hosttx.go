package liveness

import (
	"errors"
	"fmt"
	"time"

	"github.com/outhook/outhook/events"
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
		{Name: "invalid", Test: testHostInvalid, HostTx: true,
			Sentence: "After an invalid event a host transaction is as it was."},
		{Name: "count", Test: testHostCount, HostTx: true,
			Sentence: "CountPending of a host transaction counts what was pending before it, and " +
				"returns while it is open."},
		{Name: "on-commit", Test: testHostOnCommit, HostTx: true,
			Sentence: "A function of OnCommit is called once, when the host transaction has " +
				"committed; never if it is rolled back, or if OnCommit returned false."},
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

func testHostInvalid(c *check.Driver) {
	c.Subscribe()
	evs := c.Messages(2)
	tx := c.Enqueued(evs[0])
	bad := evs[1]
	bad.Time = time.Time{}
	var invalid *events.InvalidError
	if err := tx.Enqueue(c.Ctx(), evs[1], bad); !errors.As(err, &invalid) {
		c.Errorf("Enqueue of an event without a time: got error %v, want an *events.InvalidError", err)
	}
	c.Must("Commit", tx.Commit(c.Ctx()))
	c.SameIDs("claims", check.Claimed(c.Claim(10)), []string{evs[0].ID})
}

func testHostCount(c *check.Driver) {
	c.Subscribe()
	c.Publish(3)
	tx := c.Enqueued(c.Messages(1)...)
	for _, t := range []struct {
		tenant     string
		limit      int
		least, top int // the transaction's own may be missing
	}{{"", 10, 3, 4}, {"", 2, 2, 2}, {"", 0, 0, 0}, {"", -1, 0, 0}, {"another", 10, 0, 0}} {
		n, err := tx.CountPending(c.Ctx(), t.tenant, t.limit)
		if err != nil || n < t.least || n > t.top {
			c.Errorf("CountPending of tenant %q, limit %d, in the transaction: got %d, %v, want %d to %d",
				t.tenant, t.limit, n, err, t.least, t.top)
		}
	}
	c.Must("Commit", tx.Commit(c.Ctx()))
	check.Equal(c, "CountPending", c.CountPending("", 10), 4)
}

func testHostOnCommit(c *check.Driver) {
	c.Subscribe()
	for _, commit := range []bool{true, false} {
		tx := c.Enqueued(c.Messages(1)...)
		called := 0
		sees := tx.OnCommit(func() { called++ })
		check.Equal(c, "calls before the end", called, 0)
		want := 0
		if commit {
			c.Must("Commit", tx.Commit(c.Ctx()))
			if sees {
				want = 1
			}
		} else {
			c.Must("Rollback", tx.Rollback(c.Ctx()))
		}
		c.Publish(1) // what a store does later is no reason to call
		check.Equal(c, fmt.Sprintf("calls, committed: %t", commit), called, want)
	}
}

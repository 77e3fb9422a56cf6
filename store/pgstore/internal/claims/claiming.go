package claims

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// claiming is one go at a Claim. See the package's picture. One goroutine uses it, and it is not
// used twice: what a go has left is in the schedule.
type claiming struct {
	*Claims
	req    store.ClaimRequest
	round  *memory.Round
	leased map[*memory.Queue][]leasedKey // of the subscriptions that were chosen: what else was leased

	found   []found
	expired []memory.Delivery // that were leased, and whose rows are to say so
	looks   int               // Looks.Count when this was chosen
	server  int               // Memory.Server before this was read
	noticed bool

	got     []store.Claim // handed out, even if something fails later
	nextDue time.Duration
	late    bool // what was chosen is given up: the replica may not own it any more
}

// leasedKey is a leased delivery that has a key.
type leasedKey struct {
	seq uint64
	key string
}

// found is what the database says of a leased delivery.
//
// It is the zero value if the event or the subscription is gone.
type found struct {
	claim            store.Claim
	stamp, due       int64
	exists, hasRow   bool
	pending, blocked bool
	expired          bool // its event has, which its row may not say
}

// run reports whether it is worth to go again.
//
// The order is what makes it right. A delivery is read after it is leased, so nothing can change it
// in between unseen. Notices are taken after the read that has shown them, and end the leases of
// what they have changed. Whether the replica still owns its shares is asked last.
func (c *claiming) run(ctx context.Context) (again bool, err error) {
	// It was frozen, or the server could not be reached: others may have its shares, or memory may
	// lack something. The renewal says.
	if !c.ownership.IsValid() {
		if err := c.ownership.Renew(ctx); err != nil {
			return false, err
		}
	}
	done := false
	defer func() {
		if !done { // nobody must wait for leases that nobody has
			c.abandon()
		}
	}()
	if err := c.choosing.Choose(ctx, &c.req, c.Clock.Now, &c.round, c.chosen); err != nil {
		return false, err
	}
	// Without the memory's lock: publishers and outcomes go on meanwhile.
	if err := c.read(ctx); err != nil {
		return false, err
	}
	// They may be about what was just chosen: an erasure, or an update of the subscription.
	if c.noticed {
		// Where there are too many for one call, this one gives up what it has chosen, and the next
		// goes on.
		if all, err := c.TakeSomeNotices(ctx); err != nil || !all {
			c.nextDue = 0
			return false, err
		}
	}
	// Last of all: the round trips may have taken longer than the lease, and then another replica
	// may have the deliveries by now.
	if !c.ownership.IsValid() {
		c.late, c.nextDue = true, 0
		return true, nil
	}
	// From here on each lease is handed out or given up by hand and park, also if what follows
	// fails.
	done = true
	lost, blocked, unordered := c.hand()
	if err := c.expire(ctx); err != nil {
		return false, err
	}
	if err := c.park(ctx, blocked); err != nil {
		return false, err
	}
	if err := c.arrange(ctx, unordered); err != nil {
		return false, err
	}
	// In place of what was lost there may be others, and notices may have brought some.
	return lost > 0 || c.noticed, nil
}

// chosen notes which keys are leased as this is chosen. If they become free by the time that the
// deliveries are read it does not matter: what is read may be older. Memory is locked.
func (c *claiming) chosen() {
	c.nextDue, c.looks = c.round.NextDue(), c.Memory.Looks.Count()
	c.leased = make(map[*memory.Queue][]leasedKey)
	// Also those of this round are among its leases, but have no key yet: it is known when they are
	// read.
	for _, l := range c.round.Leases {
		if _, there := c.leased[l.Sub]; there {
			continue
		}
		var keys []leasedKey
		l.Sub.EachLease(func(other *memory.Lease) {
			if other.Data.Key != "" {
				keys = append(keys, leasedKey{other.Seq, other.Data.Key})
			}
		})
		c.leased[l.Sub] = keys
	}
}

// read reads what was chosen, and whether there are notices. Without shares it asks nothing:
// all that was chosen has lost its lease by then.
func (c *claiming) read(ctx context.Context) error {
	c.Memory.Lock()
	shares := c.Memory.Held()
	c.server = c.Memory.Server()
	c.Memory.Unlock()
	if len(shares) == 0 {
		return nil
	}
	subs, seqs := replica.Numbers(deliveries(c.round.Leases))
	c.found = make([]found, len(seqs))
	err := c.DB.Read(ctx, sqltx.Frequent, func(b *sqltx.Batch) {
		// Before the deliveries: what is committed between the two is in what is read. The other
		// way round it could be missed by both.
		c.QueueNoticed(b, shares, &c.noticed)
		if len(seqs) > 0 {
			b.Queue(c.SQL.Claim, subs, seqs).Query(c.readFound)
		}
	})
	// Notices that another goroutine is taking are not there any more, and memory may not know yet
	// what they say: that there is more to claim, or that a subscription that was chosen is paused.
	// TakeNotices waits until it does.
	c.Memory.Lock()
	c.noticed = c.noticed || c.Memory.Looks.Since(c.looks)
	c.Memory.Unlock()
	return err
}

func deliveries(leases []*memory.Lease) []memory.Delivery {
	all := make([]memory.Delivery, len(leases))
	for i, l := range leases {
		all[i] = memory.Delivery{Sub: l.Sub.Num, Seq: l.Seq}
	}
	return all
}

func (c *claiming) readFound(rows pgx.Rows) error {
	var ord int64
	var attempts, base int32
	for rows.Next() {
		var f found
		var body, override *[]byte
		var bodyState int16
		var w record.Window
		cl := &f.claim
		err := rows.Scan(&ord, &cl.EventID, &cl.EventType, &cl.Tenant, &cl.Key, &cl.EventTime,
			&cl.EnqueuedAt, &body, &override, &bodyState, &cl.Trace, &cl.Tags, &w.NotBefore,
			&w.ExpiresAt, &attempts, &base, &f.stamp, &f.hasRow, &f.due, &f.pending,
			&f.expired, &f.blocked)
		if err != nil {
			return err
		}
		if body != nil {
			cl.Body = *body
		}
		cl.BodyState = store.BodyState(bodyState)
		if override != nil && cl.BodyState.HasOverride() {
			cl.BodyOverride = *override
		}
		w.Of(&cl.NotBefore, &cl.ExpiresAt)
		cl.EventTime, cl.EnqueuedAt = cl.EventTime.UTC(), cl.EnqueuedAt.UTC()
		cl.Attempt, cl.Retry = int(attempts)+1, int(attempts-base)
		f.exists = true
		// The rows come in the order of a join, so each says which delivery it is of.
		c.found[ord-1] = f
	}
	return rows.Err()
}

// abandon gives up all that was chosen. Withdraw, and not Release: no one has seen these tokens,
// and one that was given out before and has run out is good again.
func (c *claiming) abandon() {
	if c.round == nil {
		return
	}
	c.Memory.Lock()
	defer c.Memory.Unlock()
	now := c.Clock.Now()
	for _, l := range c.round.Leases {
		c.Memory.Schedule.Withdraw(l, now)
	}
}

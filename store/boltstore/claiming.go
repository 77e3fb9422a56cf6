package boltstore

import (
	"bytes"
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/schedule"

	bolt "go.etcd.io/bbolt"
)

// claiming is one try of a Claim. The schedule leases what is due, under the mutex; then the
// deliveries are read from the file, in a snapshot that is begun after that; and those that turn
// out not to be there lose their lease.
type claiming struct {
	*claimer
	req   store.ClaimRequest
	now   int64
	round *schedule.Round[memory.Subscriber, memory.Claimed]

	allRecent bool // memory has the events of all leases, so nothing is read from the file
	tx        *bolt.Tx
	t         *txn.Tx

	last struct {
		seq   uint64
		event *record.Event
		err   error
	}

	got     []store.Claim
	nextDue time.Duration
	leased  store.Leased
	lost    int             // how many leases were not claimable after all
	damaged []*memory.Lease // those of them whose record can't be read
}

// run leases, reads and hands out, and gives all leases back if it fails in between.
func (c *claiming) run(ctx context.Context) error {
	ok := false
	defer func() {
		c.endRead(ctx)
		// Also after a panic of a damaged file: no caller has these leases, so their deliveries
		// would wait until the leases end.
		if !ok {
			c.abandon()
		}
	}()
	if err := c.lease(ctx); err != nil {
		return err
	}
	leases := c.round.Leases
	if len(leases) == 0 {
		ok = true
		return nil
	}
	if !c.allRecent {
		if err := c.beginRead(ctx); err != nil {
			return err
		}
	}
	claims := make([]store.Claim, len(leases))
	results := make([]readResult, len(leases))
	for i, l := range leases {
		results[i] = c.read(l, &claims[i])
	}
	// Before the mutex: a reader never takes it, since a commit that must grow the file waits for
	// all readers.
	c.endRead(ctx)
	c.handOut(claims, results)
	ok = true
	return nil
}

// beginRead begins the transaction. What memory has learned is in the file, so a snapshot that
// begins after the leasing has all that was leased, unless it has ended since.
func (c *claiming) beginRead(ctx context.Context) (err error) {
	if c.tx, err = c.db.beginRead(ctx); err != nil {
		return err
	}
	c.t, err = c.db.wrap(c.tx)
	return err
}

// endRead ends the transaction, if there is one.
func (c *claiming) endRead(ctx context.Context) {
	if c.tx != nil {
		c.db.endRead(ctx, c.tx)
		c.tx = nil
	}
}

// lease leases what is to be claimed. One claim does so at a time: another must not find the
// schedule without what the first is loading, and come away with less than there is.
func (c *claiming) lease(ctx context.Context) error {
	select {
	case c.leasing <- struct{}{}:
		defer func() { <-c.leasing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		lacks := c.runRound()
		if len(lacks) == 0 {
			return nil
		}
		if err := c.load(ctx, lacks); err != nil {
			return err
		}
	}
}

// runRound goes on with the round until it is done, or returns what the schedule lacks for it.
func (c *claiming) runRound() []schedule.Lack {
	c.state.Lock()
	defer c.state.Unlock()
	sched := c.state.memory.Schedule
	if c.round == nil {
		c.round = sched.Round(&c.req, c.now)
	}
	lacks := c.round.Run()
	// What this call has made claimable it has leased, or its caller knows that there is more.
	sched.TakeWake()
	if len(lacks) > 0 {
		return lacks
	}
	c.nextDue, c.leased = c.round.NextDue(), sched.Leased()
	c.findRecent()
	return nil
}

// findRecent finds the events that memory has, and whether those are all.
func (c *claiming) findRecent() {
	c.allRecent = true
	for _, l := range c.round.Leases {
		l.Data.Sub = l.Sub.Data.Sub
		// Only what has no row is sure to be as it was when its event was enqueued.
		if memory.IsImplicit(l) {
			l.Data.Event = c.state.memory.Recent.Find(l.Seq)
		}
		c.allRecent = c.allRecent && l.Data.Event != nil
	}
}

// readResult is what the file says of a leased delivery.
type readResult struct {
	keyHash uint64 // of the event's ordering key
	asOf    uint64
	status  leaseStatus
}

type leaseStatus int

const (
	claimable  leaseStatus = iota
	ended                  // it has ended, or can't be claimed yet, since it was leased
	unreadable             // a record of it is damaged
)

// read reads a leased delivery into a claim.
func (c *claiming) read(l *memory.Lease, into *store.Claim) readResult {
	e, err := l.Data.Event, error(nil)
	if e == nil {
		e, err = c.event(l.Seq)
	}
	switch {
	case err != nil || l.Data.Sub == nil:
		return readResult{status: unreadable}
	case e == nil:
		return readResult{status: ended}
	}
	d, ok := pending.Implicit(l.Seq, 0), true
	if !memory.IsImplicit(l) { // or else memory knows that the file has no row
		d, ok, err = c.t.Pending.Find(l.Sub.Num, l.Seq, e.KeyHash())
	}
	switch {
	case err != nil:
		return readResult{status: unreadable}
	case !ok || !d.Pending() || d.Blocked || e.Erased():
		return readResult{status: ended}
	}
	var override []byte
	if d.Overridden() {
		if override, err = c.t.Pending.Overrides.Get(l.Sub.Num, l.Seq); err != nil {
			return readResult{status: unreadable}
		}
	}
	*into = store.Claim{
		Lease:      store.Lease{SubscriptionID: l.Data.Sub.ID, EventID: e.ID, Token: l.Token},
		EventType:  e.Type,
		Tenant:     e.Tenant,
		Key:        e.Key,
		EventTime:  time.UnixMilli(e.Time).UTC(),
		EnqueuedAt: record.AsTime(e.EnqueuedAt),
		Body:       e.Body,
		Trace:      e.Trace,
		Attempt:    d.Attempts + 1,
		Retry:      d.Attempts - d.Base,

		BodyState: d.Body, BodyOverride: override,
	}
	return readResult{keyHash: e.KeyHash(), asOf: d.AsOf}
}

// event reads an event, which is nil if it is gone. Claims of several subscriptions share the
// last one.
func (c *claiming) event(seq uint64) (*record.Event, error) {
	if c.last.seq == seq {
		return c.last.event, c.last.err
	}
	c.last.seq, c.last.event, c.last.err = seq, nil, nil
	e, err := c.t.Events.Get(seq)
	if e != nil {
		e.Body = bytes.Clone(e.Body)
	}
	c.last.event, c.last.err = e, err
	return c.last.event, c.last.err
}

// handOut completes the claims that can be made, and ends the other leases. A lease may have ended
// while it was read.
func (c *claiming) handOut(claims []store.Claim, results []readResult) {
	c.state.Lock()
	defer c.state.Unlock()
	sched := c.state.memory.Schedule
	good := claims[:0]
	for i, l := range c.round.Leases {
		l.Data.Event, l.Data.Sub = nil, nil
		switch r := &results[i]; {
		case l.Ended():
			c.lost++
		case r.status == claimable:
			claim := &claims[i]
			l.Data.EventID, l.Data.Key, l.Data.AsOf = claim.EventID, r.keyHash, r.asOf
			claim.Subscription, claim.Health = *l.Sub.Data.Sub, *l.Sub.Health()
			claim.Probe = c.req.IsProbe(&claim.Health)
			good = append(good, *claim)
		case r.status == unreadable:
			c.lost++
			sched.Seal(l, true, c.now)
			c.damaged = append(c.damaged, l)
		default:
			c.lost++
			sched.End(l, c.now)
		}
	}
	c.leased = sched.Leased()
	switch {
	case len(good) == 0:
	case len(c.got) == 0:
		c.got = good // as a rule: it saves copying all claims
	default:
		c.got = append(c.got, good...)
	}
}

// abandon gives up all leases.
func (c *claiming) abandon() {
	if c.round == nil {
		return
	}
	c.state.Lock()
	defer c.state.Unlock()
	for _, l := range c.round.Leases {
		c.state.memory.Schedule.Release(l, c.now)
	}
}

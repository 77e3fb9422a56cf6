package claims

import (
	"bytes"
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/claimloop"
	"github.com/outhook/outhook/store/internal/schedule"
)

// claiming is one try of a Claim. The schedule leases what is due, under the mutex; then the
// deliveries are read from the file, in a snapshot that is begun after that; and those that turn
// out not to be there lose their lease. A snapshot that is begun before the leasing could lack what
// was enqueued in between, and the lease would be lost for nothing.
type claiming struct {
	*Claimer
	req   store.ClaimRequest                                 // Max is what is left of the call's
	now   int64                                              // when it began
	round *schedule.Round[memory.Subscriber, memory.Claimed] // nil until something was chosen

	allRecent bool    // memory has the events of all leases, so nothing is read from the file
	t         *txn.Tx // nil if no transaction is open

	// The event that was read last, or the error of reading it.
	last struct {
		seq   uint64
		event *record.Event
		err   error
	}

	got     []store.Claim   // what can be handed out
	nextDue time.Duration   // as the schedule had it after the leasing
	leased  store.Leased    // likewise, or after the handing out
	lost    int             // how many leases were not claimable after all
	damaged []*memory.Lease // those of them whose record can't be read
	expired []*memory.Lease // those of them whose record does not say that they have expired
}

// run leases, reads and hands out, and gives all leases back if it fails in between. The mutex is
// taken to lease, and to hand out or to abandon, and never over the reading in between.
func (c *claiming) run(ctx context.Context) (err error) {
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
	// What was published lately is all in memory, and then a claim costs no transaction. Otherwise
	// what memory has learned is in the file: a snapshot that begins after the leasing has all that
	// was leased, except for what has ended since.
	if !c.allRecent {
		if c.t, err = c.db.Begin(ctx); err != nil {
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

// endRead ends the transaction, if there is one.
func (c *claiming) endRead(ctx context.Context) {
	if c.t != nil {
		c.db.End(ctx, c.t)
		c.t = nil
	}
}

// lease leases what is to be claimed. One claim does so at a time: another must not find the
// schedule without what the first is loading, and come away with less than there is.
func (c *claiming) lease(ctx context.Context) error {
	select {
	// A channel and not a mutex, because the caller must be able to leave while another one loads.
	case c.leasing <- struct{}{}:
		defer func() { <-c.leasing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	chooser := claimloop.Chooser[memory.Subscriber, memory.Claimed]{
		Mu: c.db, Schedule: c.db.Memory.Schedule, Load: c.load,
	}
	return chooser.Choose(ctx, &c.req, func() int64 { return c.now }, &c.round, c.chosen)
}

// chosen notes what was leased. The mutex is held. What is noted here must be of the same moment as
// the leases.
func (c *claiming) chosen() {
	c.nextDue, c.leased = c.round.NextDue(), c.db.Memory.Schedule.Leased()
	c.findRecent()
}

// findRecent finds the events that memory has, and whether those are all.
func (c *claiming) findRecent() {
	c.allRecent = true
	for _, l := range c.round.Leases {
		// For read, which does not hold the mutex: the queue's may change meanwhile.
		l.Data.Sub = l.Sub.Data.Sub
		// Only what has no row is sure to be as it was when its event was enqueued.
		if memory.IsImplicit(l) {
			l.Data.Event = c.db.Memory.Recent.Find(l.Seq)
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
	expired                // its event has expired, and its record calls it pending
)

// read reads a leased delivery into a claim.
func (c *claiming) read(l *memory.Lease, into *store.Claim) readResult {
	e, err := l.Data.Event, error(nil)
	if e == nil {
		e, err = c.event(l.Seq)
	}
	switch {
	// A subscription that can't be read has nowhere to send to, so its deliveries die too.
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
	// The snapshot is newer than what the schedule knew: the delivery may have ended, or been put
	// behind another of its key, by a commit that memory has yet to follow.
	case ok && d.Marked && d.Reason == store.ReasonExpired:
		return readResult{status: expired}
	case !ok || !d.Pending() || d.Blocked || e.Erased():
		return readResult{status: ended}
	}
	var override []byte
	if d.Overridden() {
		if override, err = c.t.Pending.Overrides.Get(l.Sub.Num, l.Seq); err != nil {
			return readResult{status: unreadable}
		}
	}
	// Subscription, health and Probe are set by handOut, under the mutex.
	*into = store.Claim{
		Lease:      store.Lease{SubscriptionID: l.Data.Sub.ID, EventID: e.ID, Token: l.Token},
		EventType:  e.Type,
		Tenant:     e.Tenant,
		Key:        e.Key,
		EventTime:  time.UnixMilli(e.Time).UTC(),
		EnqueuedAt: record.AsTime(e.EnqueuedAt),
		Body:       e.Body,
		Trace:      e.Trace,
		Tags:       e.Tags,
		NotBefore:  record.AsMillis(e.NotBefore),
		ExpiresAt:  record.AsMillis(e.ExpiresAt),
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
	// Claims outlive the transaction, whose memory the body is.
	if e != nil {
		e.Body = bytes.Clone(e.Body)
	}
	c.last.event, c.last.err = e, err
	return c.last.event, c.last.err
}

// handOut completes the claims that can be made, and ends the other leases. A lease may have ended
// while it was read. It compacts claims in place: what can be handed out moves to the front.
func (c *claiming) handOut(claims []store.Claim, results []readResult) {
	c.db.Lock()
	defer c.db.Unlock()
	sched := c.db.Memory.Schedule
	good := claims[:0]
	for i, l := range c.round.Leases {
		// They were for the reading; the lease would keep the event's body in memory until it ends.
		l.Data.Event, l.Data.Sub = nil, nil
		switch r := &results[i]; {
		case l.Ended():
			c.lost++
		case r.status == claimable:
			claim := &claims[i]
			l.Data.EventID, l.Data.Key, l.Data.AsOf = claim.EventID, r.keyHash, r.asOf
			claimloop.Complete(claim, &c.req, l.Sub.Data.Sub, l.Sub.Health())
			good = append(good, *claim)
		case r.status == unreadable:
			c.lost++
			// Sealed and not ended, or another Claim would lease it again before it is dead in the
			// file. It makes room for others at once.
			sched.Seal(l, true, c.now)
			c.damaged = append(c.damaged, l)
		case r.status == expired: // likewise
			c.lost++
			sched.Seal(l, true, c.now)
			c.expired = append(c.expired, l)
		default:
			c.lost++
			sched.End(l, c.now)
		}
	}
	c.got, c.leased = good, sched.Leased()
}

// abandon gives up all leases. Release and not End: the deliveries are pending still, and the next
// Claim finds them where they were.
func (c *claiming) abandon() {
	if c.round == nil {
		return
	}
	c.db.Lock()
	defer c.db.Unlock()
	for _, l := range c.round.Leases {
		c.db.Memory.Schedule.Release(l, c.now)
	}
}

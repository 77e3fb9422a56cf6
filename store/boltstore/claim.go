package boltstore

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/schedule"

	bolt "go.etcd.io/bbolt"
)

// maxGoes bounds how often a Claim chooses anew because what it chose was not there, or can't be
// read: an event that is damaged may be wanted by many, and each go takes a commit.
const maxGoes = 8

// Claim implements [store.Queue].
func (s *Store) Claim(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
	err := req.Validate()
	if err == nil {
		err = s.check(ctx)
	}
	if err == nil {
		err = s.pause(ctx, req.Pauses)
	}
	claims := store.ClaimResult{NextDue: store.NoneDue}
	for goes := 1; err == nil; goes++ {
		c := claiming{store: s, req: req, now: s.now(), got: claims.Claims}
		c.req.Max -= len(c.got)
		if err = guarded(func() error { return c.run(ctx) }); err != nil {
			break
		}
		claims.Claims, claims.Leased = c.got, c.leased
		if goes == 1 {
			claims.NextDue = c.wait
		}
		if err = s.markDead(ctx, c.damaged); err != nil || c.lost == 0 {
			break
		}
		if goes == maxGoes {
			claims.NextDue = 0 // there may be more
			break
		}
	}
	if err != nil && len(claims.Claims) == 0 { // what is leased must be handed out
		return store.ClaimResult{}, fmt.Errorf("boltstore: claim: %w", err)
	}
	return claims, nil
}

// claiming is one go at a Claim. The schedule chooses and leases what is due, under the mutex; then
// it is read from the file, in a snapshot that is begun after that; and what turned out not to be
// there is given up.
type claiming struct {
	store *Store
	req   store.ClaimRequest
	now   int64
	round *schedule.Round[memory.Subscriber, memory.Claimed]

	atHand bool // nothing need be read
	tx     *bolt.Tx
	t      *txn.Tx

	last struct {
		seq   uint64
		event *record.Event
		err   error
	}

	got     []store.Claim
	leased  store.Leased
	wait    time.Duration
	lost    int             // how many leases were not claimable after all
	damaged []*memory.Lease // those of them whose record can't be read
}

func (c *claiming) run(ctx context.Context) error {
	ok := false
	defer func() {
		c.endRead(ctx)
		if !ok { // the file is out of order: nobody must wait for leases that nobody has
			c.abandon()
		}
	}()
	if err := c.choose(ctx); err != nil {
		return err
	}
	chosen := c.round.Leases
	if len(chosen) == 0 {
		ok = true
		return nil
	}
	if !c.atHand {
		if err := c.beginRead(ctx); err != nil {
			return err
		}
	}
	claims := make([]store.Claim, len(chosen))
	read := make([]reading, len(chosen))
	for i, l := range chosen {
		read[i] = c.read(l, &claims[i])
	}
	c.endRead(ctx)
	c.hand(claims, read)
	ok = true
	return nil
}

// beginRead begins the transaction. What memory has learned is in the file, so a snapshot that
// begins after the choice has all that was chosen, unless it has ended since.
func (c *claiming) beginRead(ctx context.Context) (err error) {
	if c.tx, err = c.store.beginRead(ctx); err != nil {
		return err
	}
	c.t, err = c.store.begin(c.tx)
	return err
}

func (c *claiming) endRead(ctx context.Context) {
	if c.tx != nil {
		c.store.endRead(ctx, c.tx)
		c.tx = nil
	}
}

// choose leases what is to be claimed. One claim chooses at a time: another must not find the
// schedule without what the first is loading, and come away with less than there is.
func (c *claiming) choose(ctx context.Context) error {
	s := c.store
	select {
	case s.choosing <- struct{}{}:
		defer func() { <-s.choosing }()
	case <-ctx.Done():
		return ctx.Err()
	}
	for {
		lacks := c.takeTurns()
		if len(lacks) == 0 {
			return nil
		}
		if err := s.loadLacks(ctx, lacks); err != nil {
			return err
		}
	}
}

// takeTurns goes on with the round until it is done, or returns what the schedule lacks for it.
func (c *claiming) takeTurns() []schedule.Lack {
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if c.round == nil {
		c.round = s.memory.Schedule.Round(&c.req, c.now)
	}
	lacks := c.round.Run()
	// What this call has made claimable it has taken, or its caller knows that there is more.
	s.memory.Schedule.TakeWake()
	if len(lacks) > 0 {
		return lacks
	}
	c.wait, c.leased = c.round.NextDue(), s.memory.Schedule.Leased()
	c.findAtHand()
	return nil
}

// findAtHand finds the events that are recent, and whether nothing need be read.
func (c *claiming) findAtHand() {
	c.atHand = true
	for _, l := range c.round.Leases {
		l.Data.Sub = l.Sub.Data.Sub
		if memory.IsImplicit(l) {
			l.Data.Event = c.store.memory.Recent.Find(l.Seq)
		}
		c.atHand = c.atHand && l.Data.Event != nil
	}
}

// reading is what the file says of a leased delivery.
type reading struct {
	key   uint64 // the hash of the ordering key
	asOf  uint64
	found verdict
}

type verdict int

const (
	claimable verdict = iota
	gone              // somebody has ended it meanwhile
	broken            // it can't be read
)

// read reads a leased delivery into a claim.
func (c *claiming) read(l *memory.Lease, into *store.Claim) reading {
	e, err := l.Data.Event, error(nil)
	if e == nil {
		e, err = c.event(l.Seq)
	}
	switch {
	case err != nil || l.Data.Sub == nil:
		return reading{found: broken}
	case e == nil:
		return reading{found: gone}
	}
	r, ok := pending.Implicit(l.Seq, 0), true
	if !memory.IsImplicit(l) { // or else memory knows that the file has nothing
		r, ok, err = c.t.Pending.Find(l.Sub.Num, l.Seq, e.KeyHash())
	}
	switch {
	case err != nil:
		return reading{found: broken}
	case !ok || !r.Pending() || r.Blocked || e.Erased():
		return reading{found: gone}
	}
	var override []byte
	if r.Overridden() {
		if override, err = c.t.Pending.Override(l.Sub.Num, l.Seq); err != nil {
			return reading{found: broken}
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
		Attempt:    r.Attempts + 1,
		Retry:      r.Attempts - r.Base,

		BodyState: r.Body, BodyOverride: override,
	}
	return reading{key: e.KeyHash(), asOf: r.AsOf}
}

// event reads an event, which is nil when it is gone. Claims of several subscriptions share the
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

// hand completes the claims that can be made, and gives up the others. A lease may have ended while
// it was read.
func (c *claiming) hand(claims []store.Claim, read []reading) {
	s := c.store
	s.mu.Lock()
	defer s.unlock()
	good := claims[:0]
	for i, l := range c.round.Leases {
		l.Data.Event, l.Data.Sub = nil, nil
		switch r := &read[i]; {
		case l.Ended():
			c.lost++
		case r.found == claimable:
			claim := &claims[i]
			l.Data.EventID, l.Data.Key, l.Data.AsOf = claim.EventID, r.key, r.asOf
			claim.Subscription, claim.Health = *l.Sub.Data.Sub, *l.Sub.Health()
			claim.Probe = c.req.IsProbe(&claim.Health)
			good = append(good, *claim)
		case r.found == broken:
			c.lost++
			s.memory.Schedule.Seal(l, true, c.now)
			c.damaged = append(c.damaged, l)
		default:
			c.lost++
			s.memory.Schedule.End(l, c.now)
		}
	}
	c.leased = s.memory.Schedule.Leased()
	switch {
	case len(good) == 0:
	case len(c.got) == 0:
		c.got = good
	default:
		c.got = append(c.got, good...)
	}
}

// abandon gives up all that was chosen.
func (c *claiming) abandon() {
	if c.round == nil {
		return
	}
	s := c.store
	s.mu.Lock()
	defer s.unlock()
	for _, l := range c.round.Leases {
		s.memory.Schedule.Release(l, c.now)
	}
}

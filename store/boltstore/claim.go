package boltstore

import (
	"bytes"
	"context"
	"fmt"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
)

// Claim implements [store.Queue].
func (s *Store) Claim(ctx context.Context, req store.ClaimRequest) (store.Claims, error) {
	err := req.Validate()
	if err == nil {
		err = s.check(ctx)
	}
	claims := store.Claims{Wait: store.NoneDue}
	for first := true; err == nil; first = false {
		c := claiming{store: s, req: req, now: s.now(), got: claims.Claims}
		if err = guarded(c.run); err != nil {
			break
		}
		claims.Claims = c.got
		if first {
			claims.Wait = c.wait
		}
		if err = s.bury(ctx, c.damaged); err != nil || c.lost == 0 {
			break
		}
	}
	if err != nil && len(claims.Claims) == 0 { // what is leased must be handed out
		return store.Claims{}, fmt.Errorf("boltstore: claim: %w", err)
	}
	return claims, nil
}

// claiming is one go at a Claim. It chooses and leases what memory says is due, under the mutex; then it reads that from
// the file, as of the time it chose; and gives up what turned out not to be there.
type claiming struct {
	store *Store
	req   store.ClaimRequest
	now   int64

	tx *bolt.Tx // begun under the mutex
	t  *txn

	last struct {
		seq   uint64
		event *event
		err   error
	}

	chosen  []*lease
	got     []store.Claim
	wait    time.Duration
	lost    int      // how many of chosen were not claimable after all
	damaged []*lease // those of them whose record can't be read
}

func (c *claiming) run() error {
	ok := false
	defer func() {
		c.endRead()
		if !ok { // the file is out of order: nobody must wait for leases that nobody has
			c.abandon()
		}
	}()
	if err := c.choose(); err != nil {
		return err
	}
	if len(c.chosen) == 0 {
		ok = true
		return nil
	}
	claims := make([]store.Claim, len(c.chosen))
	read := make([]reading, len(c.chosen))
	for i, l := range c.chosen {
		read[i] = c.read(l, &claims[i])
	}
	c.endRead()
	c.hand(claims, read)
	ok = true
	return nil
}

// beginRead begins the transaction, if it has not. The mutex must be held.
func (c *claiming) beginRead() (err error) {
	if c.tx != nil {
		return nil
	}
	if c.tx, err = c.store.db.Begin(false); err != nil {
		return err
	}
	c.t, err = c.store.begin(c.tx)
	return err
}

func (c *claiming) endRead() {
	if c.tx != nil {
		rollback(c.tx)
		c.tx = nil
	}
}

// choose leases what is to be claimed.
func (c *claiming) choose() error {
	s := c.store
	for {
		done, err := c.learn()
		if err != nil {
			return err
		}
		if done {
			break
		}
		c.endRead()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	c.endRead()
	s.expire(c.now)
	s.wakeSleepers(c.now)
	leases := s.leaseWait(c.now)
	if err := c.takeTurns(); err != nil {
		return err
	}
	c.wait = min(leases, s.sleepWait(c.now))
	if c.atHand() {
		return nil
	}
	return c.beginRead()
}

// atHand finds the events that are recent, and reports whether nothing need be read.
func (c *claiming) atHand() bool {
	all := true
	for _, l := range c.chosen {
		if l.fresh {
			l.event = c.store.recent.find(l.seq)
		}
		all = all && l.event != nil
	}
	return all
}

// learnStep bounds the subscriptions that are read at once.
const learnStep = 256

// learn reads subscriptions that have got something pending. It is done when there are none left.
func (c *claiming) learn() (done bool, err error) {
	s := c.store
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.unknown) == 0 {
		return true, nil
	}
	if err := c.beginRead(); err != nil {
		return false, err
	}
	n := min(len(s.unknown), learnStep)
	for _, q := range s.unknown[:n] {
		if s.queues[q.num] != q || q.known {
			continue
		}
		s.learn(c.t, q)
		if err := s.loadQueue(c.t, q); err != nil {
			return false, err
		}
		s.settle(q, c.now)
	}
	if s.unknown = s.unknown[n:]; len(s.unknown) == 0 {
		s.unknown = nil
	}
	return false, nil
}

// leaseWait returns how long it is until a lease has run out of something that may be claimed then.
func (s *Store) leaseWait(now int64) time.Duration {
	wait := store.NoneDue
	for _, l := range s.leases.items {
		at := max(l.until, l.queue.heldUntil())
		wait = min(wait, time.Duration(at-now))
	}
	return wait
}

// sleepWait returns how long it is until a sleeper wakes.
func (s *Store) sleepWait(now int64) time.Duration {
	q, ok := s.sleepers.first()
	if !ok {
		return store.NoneDue
	}
	return time.Duration(max(q.wakeAt-now, 0))
}

// reading is what the file says of a leased delivery.
type reading struct {
	key   uint64 // the hash of the ordering key
	stamp uint64
	found verdict
}

type verdict int

const (
	claimable verdict = iota
	gone              // somebody has ended it meanwhile
	broken            // it can't be read
)

// read reads a leased delivery into a claim.
func (c *claiming) read(l *lease, into *store.Claim) reading {
	q := l.queue
	e, err := l.event, error(nil)
	if e == nil {
		e, err = c.event(l.seq)
	}
	switch {
	case err != nil || l.sub == nil:
		return reading{found: broken}
	case e == nil:
		return reading{found: gone}
	}
	r, ok := row{state: store.Pending, stamp: l.seq}, true
	if !l.fresh { // or else memory knows that the file has nothing
		r, ok, err = c.t.find(q.num, l.seq, e.keyHash())
	}
	switch {
	case err != nil:
		return reading{found: broken}
	case !ok || !r.live() || r.behind || e.erased():
		return reading{found: gone}
	}
	body := e.body
	if r.own {
		if body, err = c.t.ownBody(q.num, l.seq); err != nil {
			return reading{found: broken}
		}
	}
	*into = store.Claim{
		Lease:      store.Lease{SubscriptionID: l.sub.ID, EventID: e.id, Token: l.token},
		EventType:  e.typ,
		Tenant:     e.tenant,
		Key:        e.key,
		EventTime:  time.UnixMilli(e.time).UTC(),
		EnqueuedAt: asTime(e.enqueued),
		Body:       body,
		Trace:      e.trace,
		Attempt:    r.attempts + 1,
		Retry:      r.attempts - r.base,
	}
	return reading{key: e.keyHash(), stamp: r.stamp}
}

// event reads an event, which is nil when it is gone. Claims of several subscriptions share the last one.
func (c *claiming) event(seq uint64) (*event, error) {
	if c.last.seq == seq {
		return c.last.event, c.last.err
	}
	c.last.seq, c.last.event, c.last.err = seq, nil, nil
	key := key1(seq)
	if v := c.t.get(log, key[:]); v != nil {
		e, err := decodeEvent(key[:], v)
		e.body = bytes.Clone(e.body)
		c.last.event, c.last.err = &e, err
	}
	return c.last.event, c.last.err
}

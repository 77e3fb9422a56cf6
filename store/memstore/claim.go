package memstore

import (
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

// Claim implements [store.Queue].
func (s *Store) Claim(ctx context.Context, req store.ClaimRequest) (store.Claims, error) {
	err := req.Validate()
	if err != nil {
		return store.Claims{}, fmt.Errorf("memstore: claim: %w", err)
	}
	now, err := s.begin(ctx)
	if err != nil {
		return store.Claims{}, fmt.Errorf("memstore: claim: %w", err)
	}
	defer s.mu.Unlock()
	s.expire(now)
	s.wakeSleepers(now)
	claims := store.Claims{Wait: s.wait(now)}
	r := s.newRound(req)
	for len(claims.Claims) < req.Max {
		d := r.take(now)
		if d == nil {
			break
		}
		claims.Claims = append(claims.Claims, s.lease(d, now.Add(req.Lease)))
	}
	return claims, nil
}

// expire takes back the leases that have run out. Their tokens stay good until somebody claims the delivery again.
func (s *Store) expire(now time.Time) {
	for s.leases.len() > 0 && !s.leases.first().expires.After(now) {
		d := s.leases.first()
		s.unlease(d)
		d.sub.queueUp(d, now)
		s.settle(d.sub, now)
	}
}

// wakeSleepers settles the subscriptions whose time has come.
func (s *Store) wakeSleepers(now time.Time) {
	for s.sleepers.len() > 0 && !s.sleepers.first().wakeAt.After(now) {
		s.settle(s.sleepers.first(), now)
	}
}

// wait returns how long it is until something is claimable that is not now, but for the limits of a request.
func (s *Store) wait(now time.Time) time.Duration {
	wait := store.NoneDue
	if s.sleepers.len() > 0 {
		wait = s.sleepers.first().wakeAt.Sub(now)
	}
	for _, d := range s.leases.items {
		wait = min(wait, max(d.expires.Sub(now), d.sub.barredUntil().Sub(now)))
	}
	return wait
}

// lease gives d, which is in no heap, to a caller until the given time.
func (s *Store) lease(d *delivery, until time.Time) store.Claim {
	s.lastToken++
	d.token, d.expires = s.lastToken, until
	d.enter(&s.leases)
	d.sub.leased++
	s.leasedOf[classOf(&d.sub.health)]++
	return store.Claim{
		Lease:        store.Lease{SubscriptionID: d.sub.ID, EventID: d.event.id, Token: d.token},
		Subscription: d.sub.Subscription,
		Health:       d.sub.health,
		EventType:    d.event.typ,
		Tenant:       d.event.tenant,
		Key:          d.event.key,
		EventTime:    d.event.time,
		EnqueuedAt:   d.event.enqueued,
		Body:         d.wireBody(),
		Trace:        d.event.trace,
		Attempt:      len(d.attempts) + 1,
		Retry:        d.retry,
	}
}

// unlease takes d from the leases if it is there.
func (s *Store) unlease(d *delivery) {
	if !s.leased(d) {
		return
	}
	d.leave()
	d.sub.leased--
	s.leasedOf[classOf(&d.sub.health)]--
}

package memstore

import (
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

// Claim implements [store.Queue]. Leases that have run out are ended first, by the schedule, so
// their deliveries can be claimed anew by this very call.
func (s *Store) Claim(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
	err := req.Validate()
	if err != nil {
		return store.ClaimResult{}, fmt.Errorf("memstore: claim: %w", err)
	}
	now, err := s.begin(ctx)
	if err != nil {
		return store.ClaimResult{}, fmt.Errorf("memstore: claim: %w", err)
	}
	// Not end: what this call makes claimable it takes, or says by NextDue, so it must not wake its
	// own caller.
	defer s.mu.Unlock()
	// Before anything is leased: a pause is in force for the request that it came with.
	s.pause(req.Pauses, now)
	// One go suffices, since what the schedule chooses is here and can be claimed.
	round := s.queue.Round(&req, now.UnixNano())
	round.Run() // it lacks nothing: all is in memory
	// What has become claimable by this call needs no wake: see the Unlock above.
	s.queue.TakeWake()
	claims := store.ClaimResult{NextDue: round.NextDue(), Leased: s.queue.Leased()}
	// Read under the same lock, so each of them is as it was when it was leased.
	for _, l := range round.Leases {
		d := l.Sub.Data.deliveries[l.Seq]
		// The lease knows its delivery, so that a token can be held against both names, see
		// Store.lease.
		l.Data = d
		claims.Claims = append(claims.Claims, d.claim(l, &req))
	}
	return claims, nil
}

// pause takes in the pauses of a request. A pause ends with its subscription. An ID that is unknown
// is passed over.
func (s *state) pause(pauses []store.Pause, now time.Time) {
	for _, p := range pauses {
		if sub := s.subs[p.SubscriptionID]; sub != nil {
			s.queue.Pause(sub.num, p, now.UnixNano())
		}
	}
}

// claim returns what the holder of a lease gets. It shares the subscription, its health, the body
// and the override: these are never changed in place.
func (d *delivery) claim(l *lease, req *store.ClaimRequest) store.Claim {
	return store.Claim{
		Lease:        store.Lease{SubscriptionID: d.sub.ID, EventID: d.event.id, Token: l.Token},
		Subscription: d.sub.Subscription,
		Health:       d.sub.turns.Health(),
		EventType:    d.event.typ,
		Tenant:       d.event.tenant,
		Key:          d.event.key,
		EventTime:    d.event.time,
		EnqueuedAt:   d.event.enqueued,
		Body:         d.event.body,
		BodyState:    d.bodyState,
		BodyOverride: d.override,
		Trace:        d.event.trace,
		Tags:         d.event.tags,
		NotBefore:    d.event.notBefore,
		ExpiresAt:    d.event.expiresAt,
		Attempt:      d.tried() + 1,
		Retry:        d.retry,
		Probe:        req.IsProbe(d.sub.turns.Health()),
	}
}

package memstore

import (
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

// Claim implements [store.Queue].
func (s *Store) Claim(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
	err := req.Validate()
	if err != nil {
		return store.ClaimResult{}, fmt.Errorf("memstore: claim: %w", err)
	}
	now, err := s.begin(ctx)
	if err != nil {
		return store.ClaimResult{}, fmt.Errorf("memstore: claim: %w", err)
	}
	defer s.mu.Unlock()
	s.pause(req.Pauses, now)
	round := s.schedule.Round(&req, now.UnixNano())
	round.Run() // it lacks nothing: all is in memory
	s.schedule.TakeWake()
	claims := store.ClaimResult{NextDue: round.NextDue(), Leased: s.schedule.Leased()}
	for _, l := range round.Leases {
		d := l.Sub.Data.deliveries[l.Seq]
		l.Data = d
		claims.Claims = append(claims.Claims, d.claim(l, &req))
	}
	return claims, nil
}

// pause takes in the pauses of a request. A pause ends with its subscription.
func (s *Store) pause(pauses []store.Pause, now time.Time) {
	for _, p := range pauses {
		if sub := s.subs[p.SubscriptionID]; sub != nil {
			s.schedule.Postpone(sub.num, p.For, now.UnixNano())
		}
	}
}

// claim returns what the holder of a lease gets.
func (d *delivery) claim(l *lease, req *store.ClaimRequest) store.Claim {
	return store.Claim{
		Lease:        store.Lease{SubscriptionID: d.sub.ID, EventID: d.event.id, Token: l.Token},
		Subscription: d.sub.Subscription,
		Health:       *d.sub.turns.Health(),
		EventType:    d.event.typ,
		Tenant:       d.event.tenant,
		Key:          d.event.key,
		EventTime:    d.event.time,
		EnqueuedAt:   d.event.enqueued,
		Body:         d.event.body,
		BodyState:    d.bodyState,
		BodyOverride: d.override,
		Trace:        d.event.trace,
		Attempt:      d.tried() + 1,
		Retry:        d.retry,
		Probe:        req.IsProbe(d.sub.turns.Health()),
	}
}

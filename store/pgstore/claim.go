package pgstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
)

const (
	minRing     = 100 // subscriptions that a claim looks at, at least
	maxClaim    = 10_000
	claimRounds = 1000 // of one Claim that finds subscriptions in the rings with nothing to give
)

// Claim implements [store.Queue].
//
// Its limits count what is leased by all replicas together. Pauses are this replica's.
func (s *Store) Claim(ctx context.Context, req store.ClaimRequest) (store.Claims, error) {
	claims, err := s.claim(ctx, req)
	if err != nil {
		return store.Claims{}, fmt.Errorf("pgstore: claim: %w", err)
	}
	return claims, nil
}

func (s *Store) claim(ctx context.Context, req store.ClaimRequest) (all store.Claims, err error) {
	if err := req.Validate(); err != nil {
		return all, err
	}
	if err := s.begin(ctx); err != nil {
		return all, err
	}
	req.Max = min(max(req.Max, 0), maxClaim)
	for range claimRounds {
		c, again, err := s.claimOnce(ctx, req)
		if err != nil {
			if len(all.Claims) > 0 {
				return all, nil
			}
			return store.Claims{}, err
		}
		all.Claims, all.Wait = append(all.Claims, c.Claims...), c.Wait
		req.Max -= len(c.Claims)
		if !again || ctx.Err() != nil {
			return all, nil
		}
	}
	all.Wait = 0
	return all, nil
}

// claimOnce claims in one round trip: what holds the clerk's lock first, and when that is given back, what was claimed.
// again says that some subscriptions had nothing to give though it looked as if they had.
func (s *Store) claimOnce(ctx context.Context, req store.ClaimRequest) (claims store.Claims, again bool, err error) {
	base, err := s.tokenBase(ctx)
	if err != nil {
		return claims, false, err
	}
	end := base + 1<<tokenBits
	var (
		order = make(map[int64]int64, req.Max) // token to place
		subs  = make(map[int64]*claimedSubscription)
		found []foundClaim
	)
	lost := s.abandoned.take()
	paused := s.pauses.list()
	err = s.write(ctx, func(b *pgx.Batch) {
		b.Queue("begin")
		b.Queue(claimSettings)
		b.Queue(s.sql.clerk)
		if len(lost) > 0 {
			b.Queue(s.sql.abandon, lost)
		}
		b.Queue(s.sql.intake)
		b.Queue(s.sql.claim, req.Max, micros(req.Lease), req.PerSubscription, req.Unproven, req.ProbeAfter, base, max(req.Max, minRing),
			s.ending.list(), req.Failing, paused).
			Query(func(rows pgx.Rows) (err error) { again, err = readOrder(rows, order); return err })
		s.queueWait(b, base, end, paused, &claims.Wait)
		b.Queue("commit")
		if req.Max == 0 {
			return
		}
		b.Queue(claimSettings)
		b.Queue(s.sql.claims, base, end).Query(func(rows pgx.Rows) (err error) { found, err = readClaims(rows); return err })
		b.Queue(s.sql.claimedSubscriptions, base, end).Query(func(rows pgx.Rows) error { return readClaimed(rows, subs) })
	})
	if err != nil {
		s.abandoned.add(append(lost, base)...)
		return store.Claims{}, false, err
	}
	slices.SortFunc(found, func(a, b foundClaim) int { return int(order[a.token] - order[b.token]) })
	for i := range found {
		if sub := subs[found[i].sub]; sub != nil { // or else deleted meanwhile
			claims.Claims = append(claims.Claims, found[i].claim(sub))
		}
	}
	return claims, again, nil
}

// queueWait asks how long it is until something is claimable that is not now.
func (s *Store) queueWait(b *pgx.Batch, base, end int64, paused []string, wait *time.Duration) {
	if len(paused) > 0 {
		b.Queue(s.sql.pausedWait, base, end, paused).
			Query(func(rows pgx.Rows) (err error) { *wait, err = s.pauses.readWait(rows); return err })
		return
	}
	b.Queue(s.sql.wait, base, end).QueryRow(func(row pgx.Row) error {
		var us *int64
		err := row.Scan(&us)
		if *wait = store.NoneDue; us != nil {
			*wait = max(time.Duration(*us)*time.Microsecond, 0)
		}
		return err
	})
}

// micros returns d in microseconds, rounded up.
func micros(d time.Duration) int64 { return int64((d + time.Microsecond - 1) / time.Microsecond) }

// readOrder reads which tokens were given out, in which order.
func readOrder(rows pgx.Rows, order map[int64]int64) (again bool, err error) {
	var place, token *int64
	_, err = pgx.ForEachRow(rows, []any{&place, &token, &again}, func() error {
		if token != nil {
			order[*token] = *place
		}
		return nil
	})
	return again, err
}

// foundClaim is a row of what was claimed.
type foundClaim struct {
	token, sub int64
	store.Claim
}

func readClaims(rows pgx.Rows) ([]foundClaim, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c foundClaim, err error) {
		err = row.Scan(&c.token, &c.sub, &c.Attempt, &c.Retry, &c.EventID, &c.EventType, &c.Tenant, &c.Key,
			&c.EventTime, &c.EnqueuedAt, &c.Body, &c.Trace)
		c.Attempt++
		return c, err
	})
}

// claim completes the claim.
func (c *foundClaim) claim(sub *claimedSubscription) store.Claim {
	c.Token = uint64(c.token)
	c.SubscriptionID = sub.ID
	c.Subscription, c.Health = sub.Subscription, sub.health
	return c.Claim
}

// claimedSubscription is a subscription that something was claimed of.
type claimedSubscription struct {
	subscription
	health store.Health
}

func readClaimed(rows pgx.Rows, into map[int64]*claimedSubscription) error {
	defer rows.Close()
	for rows.Next() {
		var c claimedSubscription
		var h health
		if err := rows.Scan(append(c.columns(), h.columns()...)...); err != nil {
			return err
		}
		c.tidy()
		c.health = h.record()
		into[c.num] = &c
	}
	return rows.Err()
}

// Ready implements [store.Queue].
func (s *Store) Ready() <-chan struct{} {
	s.listen()
	return s.waker.ready
}

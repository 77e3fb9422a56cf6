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
	minLook   = 100 // subscriptions that a round of a Claim looks at, at least
	maxLook   = 10_000
	maxClaim  = 10_000
	claimTime = 500 * time.Millisecond // after which a Claim begins no further round
)

// Claim implements [store.Queue].
//
// Its limits count what is leased by all replicas together. Pauses are this replica's.
//
// It looks at some subscriptions at a time. When it has looked for half a second it returns what it
// has, with a Wait of zero if there may be more. What it returns is leased still; a lease that has
// run out within the call, because the server or the network was slow, is given back.
func (s *Store) Claim(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
	claims, err := s.claim(ctx, req)
	if err != nil {
		return store.ClaimResult{}, fmt.Errorf("pgstore: claim: %w", err)
	}
	return claims, nil
}

func (s *Store) claim(ctx context.Context, req store.ClaimRequest) (all store.ClaimResult, err error) {
	if err := req.Validate(); err != nil {
		return all, err
	}
	if err := s.begin(ctx); err != nil {
		return all, err
	}
	s.pauses.set(req.Pauses)
	req.Max = min(max(req.Max, 0), maxClaim)
	for began := time.Now(); ; {
		var rounds []claimRound
		if rounds, all.NextDue, err = s.claimRounds(ctx, req); err != nil {
			return store.ClaimResult{}, err
		}
		stale := false
		for _, r := range rounds {
			if r.age() < req.Lease {
				all.Claims = append(all.Claims, r.claims...)
			} else if len(r.claims) > 0 {
				stale = true
				s.abandoned.add(r.base) // the next call gives them back
			}
		}
		if stale {
			all.NextDue = 0
		}
		if len(all.Claims) > 0 || !stale {
			return all, nil
		}
		if ctx.Err() != nil || time.Since(began) > statementTimeout {
			break
		}
	}
	return store.ClaimResult{}, fmt.Errorf("the leases of %v that it got had run out before it returned; "+
		"give a longer lease, or see why the database is so slow", req.Lease)
}

// claimRound is what one round of a Claim has leased.
type claimRound struct {
	claims []store.Claim
	base   int64         // what its tokens begin with
	sent   time.Time     // when it began here
	waited time.Duration // how long it was on the server before it leased anything
}

// age is how old its leases may be: it is less when the network was slow.
func (r *claimRound) age() time.Duration { return time.Since(r.sent) - r.waited }

// claimRounds claims in rounds, until it has enough, or there is no more, or it has taken long enough.
// The wait is zero when there may be more.
func (s *Store) claimRounds(
	ctx context.Context, req store.ClaimRequest,
) (rounds []claimRound, wait time.Duration, err error) {
	began, got := time.Now(), 0
	look := max(req.Max, minLook)
	for {
		round, wait, again, err := s.claimOnce(ctx, req, look)
		if err != nil && got > 0 {
			return rounds, 0, nil
		}
		if err != nil {
			return nil, 0, err
		}
		rounds = append(rounds, round)
		got += len(round.claims)
		req.Max -= len(round.claims)
		// The server takes in so many subscriptions at a time. When those gave nothing, the next may.
		again = again || wait == 0 && got == 0 && req.Max > 0
		if !again {
			return rounds, wait, nil
		}
		if ctx.Err() != nil || time.Since(began) >= s.claimTime {
			return rounds, 0, nil
		}
		// Subscriptions that looked as if they had something may be very many: after an Erase.
		look = min(4*look, maxLook)
	}
}

// claimOnce claims in one round trip: what holds the clerk's lock first, and when that is given back, what was claimed.
// again says that some subscriptions had nothing to give though it looked as if they had.
func (s *Store) claimOnce(
	ctx context.Context, req store.ClaimRequest, look int,
) (round claimRound, wait time.Duration, again bool, err error) {
	base, err := s.tokenBase(ctx)
	if err != nil {
		return round, 0, false, err
	}
	round.base, round.sent = base, time.Now()
	end := base + 1<<tokenBits
	var (
		order = make(map[int64]int64, req.Max) // token to place
		subs  = make(map[int64]*claimedSubscription)
		found []foundClaim
	)
	lost := s.abandoned.take()
	paused := s.pauses.list()
	err = s.write(ctx, claimSettings, func(b *batch) {
		b.Queue(s.sql.clerk)
		if len(lost) > 0 {
			b.Queue(s.sql.abandon, lost)
		}
		b.Queue(s.sql.intake)
		b.Queue(s.sql.claim, req.Max, micros(req.Lease), req.PerSubscription, req.MaxUnhealthy, req.BreakerThreshold, base, look,
			s.ending.list(), req.MaxFailing, paused).
			Query(func(rows pgx.Rows) (err error) { again, round.waited, err = readOrder(rows, order); return err })
		s.queueWait(b, base, end, paused, &wait)
		if req.Max == 0 {
			return
		}
		b.commit() // nobody waits for the clerk while the bodies are read
		b.begin(beginRead, claimSettings)
		b.Queue(s.sql.claims, base, end).Query(func(rows pgx.Rows) (err error) { found, err = readClaims(rows); return err })
		b.Queue(s.sql.claimedSubscriptions, base, end).Query(func(rows pgx.Rows) error { return readClaimed(rows, subs) })
	})
	if err != nil {
		s.abandoned.add(append(lost, base)...)
		return claimRound{}, 0, false, err
	}
	slices.SortFunc(found, func(a, b foundClaim) int { return int(order[a.token] - order[b.token]) })
	for i := range found {
		if sub := subs[found[i].sub]; sub != nil { // or else deleted meanwhile
			round.claims = append(round.claims, found[i].claim(sub))
		}
	}
	return round, wait, again, nil
}

// queueWait asks how long it is until something is claimable that is not now.
func (s *Store) queueWait(b *batch, base, end int64, paused []string, wait *time.Duration) {
	if len(paused) > 0 {
		b.Queue(s.sql.pausedWait, base, end, paused).
			Query(func(rows pgx.Rows) (err error) { *wait, err = s.pauses.readWait(rows); return err })
		return
	}
	b.Queue(s.sql.wait, base, end).QueryRow(func(row pgx.Row) error {
		var us *int64
		err := row.Scan(&us)
		if *wait = store.NoneDue; us != nil {
			*wait = fromMicros(*us)
		}
		return err
	})
}

// readOrder reads which tokens were given out, in which order, and how long the transaction had to
// wait before it gave them out.
func readOrder(rows pgx.Rows, order map[int64]int64) (again bool, waited time.Duration, err error) {
	var place, token *int64
	var us int64
	_, err = pgx.ForEachRow(rows, []any{&place, &token, &again, &us}, func() error {
		if token != nil {
			order[*token] = *place
		}
		return nil
	})
	return again, time.Duration(us) * time.Microsecond, err
}

// foundClaim is a row of what was claimed.
type foundClaim struct {
	token, sub int64
	store.Claim
}

func readClaims(rows pgx.Rows) ([]foundClaim, error) {
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c foundClaim, err error) {
		err = row.Scan(&c.token, &c.sub, &c.Attempt, &c.Retry, &c.EventID, &c.EventType, &c.Tenant, &c.Key,
			&c.EventTime, &c.EnqueuedAt, &c.Body, &c.Trace, &c.BodyState, &c.BodyOverride)
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

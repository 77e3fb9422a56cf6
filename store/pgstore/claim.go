package pgstore

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule"
)

// maxGoes bounds how often a Claim chooses anew because what it chose was not there, or was
// blocked.
const maxGoes = 8

// Claim implements [store.Queue].
//
// It claims of the subscriptions whose share is this replica's, which it becomes a part of by its
// first Claim. One Claim goes on at a time: another waits.
func (s *Store) Claim(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
	result, err := s.claim(ctx, req)
	if err != nil && len(result.Claims) == 0 { // what is leased must be handed out
		return store.ClaimResult{}, fmt.Errorf("pgstore: claim: %w", err)
	}
	return result, nil
}

func (s *Store) claim(ctx context.Context, req store.ClaimRequest) (result store.ClaimResult, err error) {
	if err := req.Validate(); err != nil {
		return result, err
	}
	if err := s.begin(ctx); err != nil {
		return result, err
	}
	s.listen()
	select {
	case s.claiming <- struct{}{}:
		defer func() { <-s.claiming }()
	case <-ctx.Done():
		return result, ctx.Err()
	}
	if err := s.join(ctx); err != nil {
		return result, err
	}
	if err := s.pause(ctx, req.Pauses); err != nil {
		return result, err
	}
	result.NextDue = store.NoneDue
	for goes := 1; ; goes++ {
		c := claiming{store: s, req: req}
		c.req.Max -= len(result.Claims)
		again, err := c.run(ctx)
		result.Claims = append(result.Claims, c.got...)
		if goes == 1 || again {
			result.NextDue = c.wait
		}
		if err != nil || !again {
			return result, err
		}
		if goes == maxGoes {
			result.NextDue = 0 // there may be more
			return result, nil
		}
	}
}

// claiming is one go at a Claim. The schedule chooses and leases what is due; then it is read, in a
// snapshot that is begun after that, with the notices that there are; and what turned out not to be
// claimable is given up.
type claiming struct {
	store *Store
	req   store.ClaimRequest
	round *schedule.Round[subscriber, claimed]
	held  map[*queue][]heldKey // of the subscriptions that were chosen: what else was leased

	found   []found
	looks   int // memory.looks when this was chosen
	noticed bool

	got  []store.Claim
	wait time.Duration
}

// heldKey is a leased delivery that has a key.
type heldKey struct {
	seq uint64
	key string
}

// found is what the database says of a leased delivery.
type found struct {
	claim            store.Claim
	stamp, due       int64
	there, hasRow    bool
	pending, blocked bool
}

// run reports whether it is worth to go again.
func (c *claiming) run(ctx context.Context) (again bool, err error) {
	s := c.store
	if !s.owner.valid() {
		if err := s.renew(ctx); err != nil {
			return false, err
		}
	}
	done := false
	defer func() {
		if !done { // nobody must wait for leases that nobody has
			c.abandon()
		}
	}()
	if err := c.choose(ctx); err != nil {
		return false, err
	}
	if err := c.read(ctx); err != nil {
		return false, err
	}
	if c.noticed {
		if err := s.takeNotices(ctx); err != nil {
			return false, err
		}
	}
	if !s.owner.valid() { // another replica may have them by now
		c.wait = 0
		return false, nil
	}
	done = true
	lost, parked, unordered := c.hand()
	if err := s.park(ctx, parked); err != nil {
		return false, err
	}
	if err := s.arrange(ctx, unordered); err != nil {
		return false, err
	}
	return lost > 0 || c.noticed, nil
}

// choose leases what is to be claimed.
func (c *claiming) choose(ctx context.Context) error {
	for {
		lacks := c.takeTurns()
		if len(lacks) == 0 {
			return nil
		}
		if err := c.store.loadLacks(ctx, lacks); err != nil {
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
		c.round = s.schedule.Round(&c.req, s.clock.now())
	}
	lacks := c.round.Run()
	s.schedule.TakeWake() // what this call has made claimable it has taken, or its caller knows that there is more
	if len(lacks) > 0 {
		return lacks
	}
	c.wait, c.looks = c.round.NextDue(), s.looks
	c.holdKeys()
	return nil
}

// holdKeys notes which keys were leased when this was chosen. That they are free by the time that
// the deliveries are read does not matter: what is read may be older.
func (c *claiming) holdKeys() {
	c.held = make(map[*queue][]heldKey)
	for _, l := range c.round.Leases {
		if _, there := c.held[l.Sub]; there {
			continue
		}
		var keys []heldKey
		l.Sub.EachLease(func(other *lease) {
			if other.Data.key != "" {
				keys = append(keys, heldKey{other.Seq, other.Data.key})
			}
		})
		c.held[l.Sub] = keys
	}
}

// read reads what was chosen, and whether there are notices.
func (c *claiming) read(ctx context.Context) error {
	s := c.store
	s.mu.Lock()
	shares := s.held(shareOwned, shareLeaving)
	s.mu.Unlock()
	leases := c.round.Leases
	if len(shares) == 0 {
		return nil
	}
	subs, seqs := make([]int64, len(leases)), make([]int64, len(leases))
	for i, l := range leases {
		subs[i], seqs[i] = int64(l.Sub.Num), int64(l.Seq)
	}
	c.found = make([]found, len(leases))
	err := s.read(ctx, indexSettings, func(b *batch) {
		b.Queue(s.sql.Noticed, shares).QueryRow(func(row pgx.Row) error { return row.Scan(&c.noticed) })
		if len(leases) > 0 {
			b.Queue(s.sql.Claim, subs, seqs).Query(c.readFound)
		}
	})
	if len(leases) == 0 {
		// Notices that another goroutine has taken and the schedule does not know yet are not there
		// any more. A claim that finds nothing must not miss them: it waits, and chooses again. One
		// that has found something is followed by another in any case.
		s.mu.Lock()
		c.noticed = c.noticed || s.looking || s.looks != c.looks
		s.mu.Unlock()
	}
	return err
}

func (c *claiming) readFound(rows pgx.Rows) error {
	var ord int64
	var attempts, base int32
	for rows.Next() {
		var f found
		var body, override *[]byte
		var bodyState int16
		cl := &f.claim
		err := rows.Scan(&ord, &cl.EventID, &cl.EventType, &cl.Tenant, &cl.Key, &cl.EventTime, &cl.EnqueuedAt, &body, &override,
			&bodyState, &cl.Trace,
			&attempts, &base, &f.stamp, &f.hasRow, &f.due, &f.pending, &f.blocked)
		if err != nil {
			return err
		}
		if body != nil {
			cl.Body = *body
		}
		cl.BodyState = store.BodyState(bodyState)
		if override != nil && cl.BodyState == store.BodyOverridden {
			cl.BodyOverride = *override
		}
		cl.EventTime, cl.EnqueuedAt = cl.EventTime.UTC(), cl.EnqueuedAt.UTC()
		cl.Attempt, cl.Retry = int(attempts)+1, int(attempts-base)
		f.there = true
		c.found[ord-1] = f
	}
	return rows.Err()
}

// hand completes the claims that can be made, and gives up the others. A lease may have ended while
// it was read. unordered are subscriptions of which a probe has taken a delivery without a row that
// has a key: whether it is the first of that key is not known.
func (c *claiming) hand() (lost int, parked []parking, unordered []uint64) {
	s := c.store
	s.mu.Lock()
	defer s.unlock()
	now := s.clock.now()
	for i, l := range c.round.Leases {
		f := &c.found[i]
		at := positionOf(f.due, l.Seq)
		switch {
		case l.Ended():
			lost++
		case !f.there, !f.pending && f.hasRow:
			lost++
			s.apply(moved{num: l.Sub.Num, seq: l.Seq, endLease: true}, now)
		case !f.pending: // it is canceled, and gets a row in time
			lost++
			s.schedule.End(l, now)
		case at.Due > now && at != l.Position(): // it was attempted since the schedule learned of it
			lost++
			s.apply(moved{num: l.Sub.Num, seq: l.Seq, pending: true, due: f.due, endLease: true}, now)
		case f.claim.Key != "" && !f.hasRow && c.req.IsProbe(l.Sub.Health()):
			lost++
			unordered = append(unordered, l.Sub.Num)
			s.schedule.Withdraw(l, now)
		case f.blocked || c.blocked(l, f.claim.Key):
			lost++
			parked = append(parked, parking{l, f.claim.Key, c.req.IsProbe(l.Sub.Health())})
		default:
			c.hold(l, f.claim.Key)
			l.Data = claimed{
				eventID: f.claim.EventID, key: f.claim.Key, stamp: uint64(f.stamp), attempts: f.claim.Attempt - 1, hasRow: f.hasRow,
			}
			claim := &f.claim
			claim.Lease = store.Lease{SubscriptionID: l.Sub.Data.sub.ID, EventID: claim.EventID, Token: l.Token}
			claim.Subscription, claim.Health = *l.Sub.Data.sub, *l.Sub.Health()
			claim.Probe = c.req.IsProbe(&claim.Health)
			c.got = append(c.got, *claim)
		}
	}
	return lost, parked, unordered
}

// blocked reports whether an earlier delivery with the key is leased.
func (c *claiming) blocked(l *lease, key string) bool {
	if key == "" {
		return false
	}
	for _, h := range c.held[l.Sub] {
		if h.key == key && h.seq < l.Seq {
			return true
		}
	}
	return false
}

// hold keeps later deliveries with the key from being claimed in the same go.
func (c *claiming) hold(l *lease, key string) {
	if key != "" {
		c.held[l.Sub] = append(c.held[l.Sub], heldKey{l.Seq, key})
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
	now := s.clock.now()
	for _, l := range c.round.Leases {
		s.schedule.Withdraw(l, now)
	}
}

// parking is a leased delivery that an earlier one of its key blocks.
type parking struct {
	lease *lease
	key   string
	probe bool
}

// park gives a row to what is blocked, and takes it out of the schedule until what blocks it has
// ended. That may have been just before: so unless it is leased, the first of the key is looked for
// in the same transaction. What a probe has found blocked may be one of many, of which it would take
// one after the other: all that have rows are put behind the first of the key.
func (s *Store) park(ctx context.Context, parked []parking) error {
	if len(parked) == 0 {
		return nil
	}
	s.keyed.Lock()
	defer s.keyed.Unlock()
	subs, seqs, keys := make([]int64, len(parked)), make([]int64, len(parked)), make([]string, len(parked))
	for i, p := range parked {
		subs[i], seqs[i], keys[i] = int64(p.lease.Sub.Num), int64(p.lease.Seq), p.key
	}
	free := s.freeKeys(parked)
	var probed keySet
	for i, p := range parked {
		if p.probe {
			probed.add(subs[i], p.key)
		}
	}
	var freed, behind []moved
	err := s.write(ctx, finishSettings, func(b *batch) {
		b.Queue(s.sql.LockShared, s.lockOf(s.owner.id))
		b.Queue(s.sql.Park, subs, seqs, keys)
		if len(probed.subs) > 0 {
			b.Queue(s.sql.HoldBack, probed.subs, probed.keys).Query(readBehind(&behind))
		}
		if len(free.subs) > 0 {
			b.Queue(s.sql.Unblock, free.subs, free.keys).Query(readFreed(&freed))
		}
	})
	s.mu.Lock()
	defer s.unlock()
	now := s.clock.now()
	for _, p := range parked {
		if p.lease.Ended() {
			continue
		}
		s.schedule.Withdraw(p.lease, now) // its token from before, if it has run out, is still good for a late outcome
		if err == nil {
			s.apply(moved{num: p.lease.Sub.Num, seq: p.lease.Seq, pending: true, behind: true}, now)
		}
	}
	for _, m := range slices.Concat(behind, freed) {
		s.apply(m, now)
	}
	return err
}

// freeKeys returns the keys of which nothing earlier than what is blocked is leased. Who ends a
// lease that has a key waits for s.keyed, which the caller holds, and unblocks what is behind it
// then.
func (s *Store) freeKeys(parked []parking) (free keySet) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, p := range parked {
		leased := false
		p.lease.Sub.EachLease(func(l *lease) { leased = leased || l.Data.key == p.key && l.Seq < p.lease.Seq })
		if !leased {
			free.add(int64(p.lease.Sub.Num), p.key)
		}
	}
	return free
}

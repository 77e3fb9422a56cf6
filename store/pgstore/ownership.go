package pgstore

import (
	"context"
	"math"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// replicaLease is how long a replica's shares are its own after it has renewed them, renewEvery
	// how often it does, and renewMargin how much earlier by its own clock it stops to claim.
	replicaLease = 4 * time.Second
	renewEvery   = time.Second
	renewMargin  = 500 * time.Millisecond

	// idleAfter is how long a replica may not have claimed before it gives up its shares.
	idleAfter = 15 * time.Second

	// lowsEvery is how often low marks are raised, or earlier if one would rise by lowsStep. Each
	// time leaves dead rows, which publishers read past for as long as some transaction keeps the
	// server from vacuuming; in between, a new owner has more to read.
	lowsEvery = 10 * time.Second
	lowsStep  = 20_000 // events

	ownershipTimeout = 10 * time.Second // of one transaction here
)

// ownership is this replica's part in dealing shares. A replica takes part from its first Claim on.
type ownership struct {
	id int64 // of the replica, random

	tick  chan struct{} // has one slot, for who renews, acquires or gives up
	alive bool          // it has a row in replicas, as far as is known; who has the slot uses it
	lows  time.Time     // when low marks were raised last; likewise

	once sync.Once     // starts what renews
	now  chan struct{} // one slot: shares may be free

	mu         sync.Mutex // guards what follows
	joined     bool
	validUntil time.Time // until when it may claim
	lastClaim  time.Time
}

// valid reports whether the replica may claim: its lease has not run out, by its own clock.
func (o *ownership) valid() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	return time.Now().Before(o.validUntil)
}

// join makes the replica take part, and notes that it claims.
func (s *Store) join(ctx context.Context) error {
	o := &s.owner
	o.mu.Lock()
	o.lastClaim = time.Now()
	joined := o.joined
	o.joined = true
	o.mu.Unlock()
	if joined {
		return nil
	}
	o.once.Do(func() { s.background.Go(s.keepShares) })
	if err := s.renew(ctx); err != nil {
		o.mu.Lock()
		o.joined = false // the next Claim tries again
		o.mu.Unlock()
		return err
	}
	return nil
}

// keepShares renews what the replica has, and takes what it should have, until the store is closed.
func (s *Store) keepShares() {
	ticker := time.NewTicker(renewEvery)
	defer ticker.Stop()
	for {
		select {
		case <-s.life.Done():
			return
		case <-ticker.C:
		case <-s.owner.now:
		}
		if err := s.keepOnce(); err != nil && s.life.Err() == nil {
			s.log.trouble("renewing the replica's lease", err)
		}
	}
}

// keepOnce renews, or leaves when nobody claims any more.
func (s *Store) keepOnce() error {
	o := &s.owner
	o.mu.Lock()
	joined, idle := o.joined, time.Since(o.lastClaim) > max(idleAfter, 3*s.o.PollInterval)
	o.mu.Unlock()
	if !joined {
		return nil
	}
	if idle && s.leased() == 0 {
		o.mu.Lock()
		o.joined = false
		o.mu.Unlock()
		return s.leave(s.life)
	}
	if err := s.renew(s.life); err != nil {
		return err
	}
	return s.spill(s.life)
}

// leased returns how many deliveries are leased here.
func (s *Store) leased() int {
	s.mu.Lock()
	defer s.unlock()
	s.schedule.Expire(s.clock.now())
	return s.schedule.InFlight(nil)
}

// dealt is a share as the database has it.
type dealt struct {
	id    int32
	owner int64
	fence int64
	low   uint64
	live  bool // its owner is
}

// renew prolongs the replica's lease, raises the low marks of its shares, and takes, hands over and
// gives up shares as the replicas that live now say.
func (s *Store) renew(ctx context.Context) error {
	o := &s.owner
	select {
	case o.tick <- struct{}{}:
		defer func() { <-o.tick }()
	case <-ctx.Done():
		return ctx.Err()
	}
	began := time.Now()
	shares, replicas, err := s.prolong(ctx, began)
	if err != nil {
		return err
	}
	o.alive = true
	o.mu.Lock()
	o.validUntil = began.Add(replicaLease - renewMargin)
	o.mu.Unlock()
	return s.redeal(ctx, shares, replicas)
}

// prolong is the part of renew that writes. It returns who has which share, and who lives.
func (s *Store) prolong(ctx context.Context, began time.Time) (shares []dealt, replicas []int64, err error) {
	s.lowering.Lock()
	defer s.lowering.Unlock()
	ids, fences, lows := s.risenLows(time.Since(s.owner.lows) < lowsEvery)
	err = s.transactWithin(ctx, 0, ownershipTimeout, beginWrite, indexSettings, func(b *batch) {
		b.Queue(s.sql.Renew, s.owner.id, replicaLease.Microseconds()).QueryRow(func(row pgx.Row) error {
			var now time.Time
			err := row.Scan(&now)
			s.clock.set(now, began, time.Now())
			return err
		})
		if len(ids) > 0 {
			b.Queue(s.sql.Lows, ids, fences, lows, s.owner.id)
		}
		b.Queue(s.sql.Shares).Query(func(rows pgx.Rows) (err error) {
			shares, err = pgx.CollectRows(rows, readDealt)
			return err
		})
		b.Queue(s.sql.Replicas).Query(func(rows pgx.Rows) (err error) {
			replicas, err = pgx.CollectRows(rows, pgx.RowTo[int64])
			return err
		})
	})
	if err == nil && len(ids) > 0 {
		s.owner.lows = began
	}
	return shares, replicas, err
}

func readDealt(row pgx.CollectableRow) (d dealt, err error) {
	err = row.Scan(&d.id, &d.owner, &d.fence, &d.low, &d.live)
	return d, err
}

// risenLows returns the shares of this replica whose low mark is higher than the database has it.
// If it is soon after the last time, it does only if one is much higher.
func (s *Store) risenLows(soon bool) (ids []int32, fences, lows []int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.lows()
	much := slices.ContainsFunc(s.held(shareOwned, shareLeaving), func(id int32) bool {
		return all[id] > s.shares[id].low+lowsStep
	})
	if soon && !much {
		return nil, nil, nil
	}
	for _, id := range s.held(shareOwned, shareLeaving) {
		if sh := &s.shares[id]; all[id] > sh.low {
			ids, fences, lows = append(ids, id), append(fences, sh.fence), append(lows, int64(all[id]))
		}
	}
	return ids, fences, lows
}

// redeal brings what the replica has in line with what the database says and what it should have.
func (s *Store) redeal(ctx context.Context, shares []dealt, replicas []int64) error {
	owners := deal(replicas)
	var acquire, load, release []int32
	s.mu.Lock()
	for _, d := range shares {
		sh, mine := &s.shares[d.id], d.owner == s.owner.id
		wanted := owners[d.id] == s.owner.id
		if sh.state != shareOther && (!mine || sh.state != shareLoading && sh.fence != d.fence) {
			s.drop(d.id) // somebody has taken it while this replica did not renew
		}
		sh.low = d.low
		switch {
		case mine && (sh.state == shareOther || sh.state == shareLoading):
			sh.state, sh.fence = shareLoading, d.fence // an earlier load has failed
			load = append(load, d.id)
		case mine && wanted && sh.state == shareLeaving:
			s.setLeaving(d.id, false)
		case mine && !wanted:
			s.setLeaving(d.id, true)
			if s.inFlight(d.id) == 0 {
				release = append(release, d.id)
			}
		case wanted && !d.live:
			sh.state = shareLoading // what is published from now on waits for the load
			acquire = append(acquire, d.id)
		}
	}
	s.unlock()
	if err := s.release(ctx, release); err != nil {
		return err
	}
	return s.acquire(ctx, acquire, load)
}

// setLeaving begins or ends the handing over of a share: while it lasts nothing is claimed of it.
func (s *Store) setLeaving(id int32, leaving bool) {
	sh := &s.shares[id]
	if (sh.state == shareLeaving) == leaving {
		return
	}
	sh.state = shareOwned
	if leaving {
		sh.state = shareLeaving
	}
	now := s.clock.now()
	s.schedule.Subs(func(q *queue) {
		if int32(q.Num%shareCount) == id {
			s.schedule.SetActive(q, s.active(q), now)
		}
	})
}

// release gives up shares of which nothing is leased.
func (s *Store) release(ctx context.Context, ids []int32) error {
	if len(ids) == 0 {
		return nil
	}
	s.mu.Lock()
	for _, id := range ids {
		s.drop(id)
	}
	s.unlock()
	err := s.transactWithin(ctx, afterContext, ownershipTimeout, beginWrite, indexSettings, func(b *batch) {
		b.Queue(s.sql.Release, ids, s.owner.id)
		b.Queue("SELECT pg_notify($1, $2)", s.channel(), sharesFree)
	})
	return err
}

// leave gives up all shares, and takes the replica out of those that live.
func (s *Store) leave(ctx context.Context) error {
	o := &s.owner
	o.tick <- struct{}{}
	defer func() { <-o.tick }()
	s.lowering.Lock()
	defer s.lowering.Unlock()
	if !o.alive {
		return nil
	}
	o.alive = false
	o.mu.Lock()
	o.validUntil = time.Time{}
	o.mu.Unlock()
	ids, fences, lows := s.risenLows(false)
	s.mu.Lock()
	for id := range int32(shareCount) {
		s.drop(id)
	}
	s.unlock()
	all := make([]int32, shareCount)
	for id := range all {
		all[id] = int32(id)
	}
	return s.transactWithin(ctx, afterContext, giveBackTimeout, beginWrite, indexSettings, func(b *batch) {
		if len(ids) > 0 {
			b.Queue(s.sql.Lows, ids, fences, lows, o.id)
		}
		b.Queue(s.sql.Release, all, o.id)
		b.Queue(s.sql.Leave, o.id)
		b.Queue("SELECT pg_notify($1, $2)", s.channel(), sharesFree)
	})
}

// sharesFree is what is notified when shares are given up.
const sharesFree = "shares"

// acquire takes shares that nobody has, and loads them and those that were taken before.
func (s *Store) acquire(ctx context.Context, ids, load []int32) error {
	var former []int64
	if len(ids) > 0 {
		took := make(map[int32]int64)
		err := s.transactWithin(ctx, 0, ownershipTimeout, beginWrite, indexSettings, func(b *batch) {
			b.Queue(s.sql.Acquire, ids, s.owner.id).Query(func(rows pgx.Rows) error {
				var id int32
				var fence, previous int64
				_, err := pgx.ForEachRow(rows, []any{&id, &fence, &previous}, func() error {
					took[id] = fence
					former = append(former, previous)
					return nil
				})
				return err
			})
		})
		s.mu.Lock()
		for _, id := range ids {
			if fence, ok := took[id]; ok && err == nil {
				s.shares[id].fence = fence
				load = append(load, id)
			} else if s.shares[id].state == shareLoading {
				s.drop(id)
			}
		}
		s.unlock()
		if err != nil {
			return err
		}
	}
	if len(load) == 0 {
		return nil
	}
	return s.loadShares(ctx, load)
}

// lockOf is the number of the advisory lock that the transactions of a replica hold.
func (s *Store) lockOf(replica int64) int64 { return s.lockKey("replica") ^ replica }

// loaded is what the database has of shares that are being loaded.
type loaded struct {
	shares   []dealt
	implicit []fed
	waiting  []int64
}

// loadShares reads what is pending of shares, once all transactions of their former owners have
// ended, and gives it to the schedule. The notices come first: what they say is in what is read
// after them.
func (s *Store) loadShares(ctx context.Context, ids []int32) error {
	former, err := s.formerOwners(ctx, ids)
	if err != nil {
		return err
	}
	if err := s.settle(ctx, ids); err != nil {
		return err
	}
	var l loaded
	err = s.transact(ctx, 0, beginWrite, indexSettings, func(b *batch) {
		for _, replica := range former {
			b.Queue("SELECT pg_advisory_xact_lock($1)", s.lockOf(replica))
		}
		b.Queue(s.sql.TakeNotices, ids, s.owner.id, someNotices)
		b.Queue(s.sql.UnblockAll, ids)
		b.Queue(s.sql.Shares).Query(func(rows pgx.Rows) (err error) {
			l.shares, err = pgx.CollectRows(rows, readDealt)
			return err
		})
		b.Queue(s.sql.Implicit, ids).Query(func(rows pgx.Rows) error {
			var seq, sub int64
			_, err := pgx.ForEachRow(rows, []any{&seq, &sub}, func() error {
				l.implicit = append(l.implicit, fed{uint64(sub), uint64(seq)})
				return nil
			})
			return err
		})
		b.Queue(s.sql.Waiting, ids).Query(func(rows pgx.Rows) (err error) {
			l.waiting, err = pgx.CollectRows(rows, pgx.RowTo[int64])
			return err
		})
	})
	if err != nil {
		return err
	}
	s.install(ids, &l)
	return nil
}

// settleStep is how many events are given rows for at once.
const settleStep = 10_000

// settle gives rows to the oldest of what is pending of shares, if there is more than memory should
// hold: nobody has claimed for long. What this replica publishes at the same time must not be
// passed by a low mark, nor what it has published since it began to load.
func (s *Store) settle(ctx context.Context, ids []int32) error {
	for {
		lag := 0
		err := s.read(ctx, indexSettings, func(b *batch) {
			b.Queue(s.sql.Lag, ids, maxLag+1).QueryRow(func(row pgx.Row) error { return row.Scan(&lag) })
		})
		if err != nil || lag <= maxLag {
			return err
		}
		most := int64(math.MaxInt64)
		s.mu.Lock()
		for _, floor := range s.floors {
			most = min(most, int64(floor))
		}
		for _, id := range ids {
			for _, f := range s.shares[id].fed {
				most = min(most, int64(f.seq)-1)
			}
		}
		s.mu.Unlock()
		raised := false
		err = s.write(ctx, finishSettings, func(b *batch) {
			b.Queue(s.sql.LockShared, s.lockOf(s.owner.id))
			b.Queue(s.sql.Settle, ids, settleStep, most, s.owner.id).Exec(func(tag pgconn.CommandTag) error {
				raised = tag.RowsAffected() > 0
				return nil
			})
		})
		if err != nil || !raised {
			return err // what is left is read as it is
		}
	}
}

// formerOwners returns the replicas that had the shares before, but not this one: what it publishes
// meanwhile waits in fed.
func (s *Store) formerOwners(ctx context.Context, ids []int32) (former []int64, err error) {
	err = s.readRows(ctx, func(rows pgx.Rows) error {
		former, err = pgx.CollectRows(rows, pgx.RowTo[int64])
		return err
	}, s.sql.Former, ids)
	slices.Sort(former)
	return slices.DeleteFunc(slices.Compact(former), func(r int64) bool { return r == 0 || r == s.owner.id }), err
}

// install gives shares that were read to the schedule.
func (s *Store) install(ids []int32, l *loaded) {
	now := s.clock.now()
	s.mu.Lock()
	defer s.unlock()
	taken := make(map[uint64]bool) // shares
	for _, d := range l.shares {
		sh := &s.shares[d.id]
		if !slices.Contains(ids, d.id) || sh.state != shareLoading || d.owner != s.owner.id || d.fence != sh.fence {
			continue // it was lost again
		}
		sh.state, sh.low = shareOwned, d.low
		taken[uint64(d.id)] = true
		l.implicit = append(l.implicit, sh.fed...)
		sh.fed = nil
	}
	for _, num := range l.waiting {
		if taken[uint64(num)%shareCount] {
			s.schedule.Restart(s.schedule.Ensure(uint64(num)), now)
		}
	}
	for _, d := range l.implicit {
		if taken[d.num%shareCount] {
			s.feed(d.num, d.seq, now)
		}
	}
}

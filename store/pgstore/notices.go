package pgstore

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
)

// looked is what a notice is about, as the database has it now. An event of 0 stands for the
// subscription itself.
type looked struct {
	sub, seq int64
	implicit bool // it is new, and pending without a row
	pending  bool // it is pending, with a row
	behind   bool
	due      int64
	key      *string
}

// takeNotices looks at what others have changed of this replica's shares, and tells the schedule.
// When it has returned, the schedule knows all that was committed before it was called.
func (s *Store) takeNotices(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, noticesTimeout) // who finishes may wait for it
	defer cancel()
	s.keyed.Lock() // what is looked at may unblock others
	defer s.keyed.Unlock()
	s.mu.Lock()
	s.looking = true
	s.mu.Unlock()
	defer func() {
		s.mu.Lock()
		s.looking, s.looks = false, s.looks+1
		s.unlock()
	}()
	for {
		there, err := s.noticesThere(ctx)
		if err != nil || !there {
			return err
		}
		if err := s.takeSome(ctx); err != nil {
			return err
		}
	}
}

const (
	// someNotices is how many notices are taken in one transaction.
	someNotices = 500

	noticesTimeout = 5 * time.Second // of all that are taken at once; the next call goes on

	relookAfter = 500 * time.Millisecond // after trouble in the background
)

// noticesThere reports whether there are notices for this replica.
func (s *Store) noticesThere(ctx context.Context) (there bool, err error) {
	s.mu.Lock()
	ids := s.held(shareOwned, shareLeaving)
	s.mu.Unlock()
	if len(ids) == 0 {
		return false, nil
	}
	err = s.read(ctx, indexSettings, func(b *batch) {
		b.Queue(s.sql.Noticed, ids).QueryRow(func(row pgx.Row) error { return row.Scan(&there) })
	})
	return there, err
}

// takeSome takes some notices.
func (s *Store) takeSome(ctx context.Context) error {
	s.lowering.Lock() // what is new must not be below a low mark that is on its way
	defer s.lowering.Unlock()
	s.mu.Lock()
	ids := s.held(shareOwned, shareLeaving)
	s.mu.Unlock()
	var looks []looked
	err := s.write(ctx, finishSettings, func(b *batch) {
		b.Queue(s.sql.LockShared, s.lockOf(s.owner.id))
		b.Queue(s.sql.TakeNotices, ids, s.owner.id, someNotices).Query(func(rows pgx.Rows) (err error) {
			looks, err = pgx.CollectRows(rows, readLooked)
			return err
		})
	})
	if err == nil {
		err = s.look(ctx, looks)
	}
	return err
}

func readLooked(row pgx.CollectableRow) (l looked, err error) {
	err = row.Scan(&l.sub, &l.seq, &l.implicit, &l.pending, &l.behind, &l.due, &l.key)
	return l, err
}

// look tells the schedule what was looked at. A notice is gone by now, so if the rest of it can't
// be read the shares are read again as a whole.
func (s *Store) look(ctx context.Context, looks []looked) error {
	var subs []int64
	var keys keySet
	s.mu.Lock()
	now := s.clock.now()
	for _, l := range looks {
		switch {
		case l.seq == 0:
			subs = append(subs, l.sub)
			continue
		case l.implicit:
			s.feed(uint64(l.sub), uint64(l.seq), now)
		default:
			s.apply(moved{num: uint64(l.sub), seq: uint64(l.seq), pending: l.pending, behind: l.behind, due: l.due}, now)
		}
		if !l.implicit && !l.pending && l.key != nil && *l.key != "" {
			keys.add(l.sub, *l.key)
		}
	}
	s.unlock()
	err := s.refresh(ctx, subs)
	if err == nil {
		err = s.unblock(ctx, &keys)
	}
	if err != nil {
		s.reload()
	}
	return err
}

// reload has all shares of this replica read again. What is leased of them is given up.
func (s *Store) reload() {
	s.mu.Lock()
	for _, id := range s.held(shareOwned, shareLeaving) {
		sh := s.shares[id]
		s.drop(id)
		s.shares[id] = share{state: shareLoading, fence: sh.fence, low: sh.low}
	}
	s.unlock()
	fill(s.owner.now)
}

// refresh reads subscriptions again that somebody has changed, and tells the schedule.
func (s *Store) refresh(ctx context.Context, nums []int64) error {
	if len(nums) == 0 {
		return nil
	}
	states, err := s.states(ctx, nums)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.unlock()
	now := s.clock.now()
	for _, num := range nums {
		q := s.schedule.Sub(uint64(num))
		if q == nil {
			continue // its state is read when it has something
		}
		st := states[num]
		if st == nil {
			s.schedule.Forget(q)
			continue
		}
		s.takeState(q, st, now)
		s.schedule.SetState(q, s.stateOf(q, st), now)
	}
	return nil
}

// keySet is keys of subscriptions of which the first that is pending may be free now.
type keySet struct {
	subs []int64
	keys []string
}

func (k *keySet) add(sub int64, key string) {
	k.subs, k.keys = append(k.subs, sub), append(k.keys, key)
}

// unblock frees what is behind nothing any more. The caller holds s.keyed, so that nothing is put
// behind a delivery that ends at the same time.
func (s *Store) unblock(ctx context.Context, keys *keySet) error {
	if len(keys.subs) == 0 {
		return nil
	}
	var freed []moved
	err := s.write(ctx, finishSettings, func(b *batch) {
		b.Queue(s.sql.LockShared, s.lockOf(s.owner.id))
		b.Queue(s.sql.Unblock, keys.subs, keys.keys).Query(readFreed(&freed))
	})
	if err == nil {
		s.applyAll(freed)
	}
	return err
}

// readFreed reads what unblock returns.
func readFreed(into *[]moved) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		var sub, seq, due int64
		_, err := pgx.ForEachRow(rows, []any{&sub, &seq, &due}, func() error {
			*into = append(*into, moved{num: uint64(sub), seq: uint64(seq), pending: true, due: due})
			return nil
		})
		return err
	}
}

// applyAll tells the schedule what has become of deliveries.
func (s *Store) applyAll(changes []moved) {
	if len(changes) == 0 {
		return
	}
	s.mu.Lock()
	defer s.unlock()
	now := s.clock.now()
	for _, c := range changes {
		s.apply(c, now)
	}
}

// takeNoticesWhenTold takes notices in the background, whenever somebody says that there are some
// and now and then.
func (s *Store) takeNoticesWhenTold() {
	ticker := time.NewTicker(s.o.PollInterval)
	defer ticker.Stop()
	for {
		select {
		case <-s.life.Done():
			return
		case <-ticker.C:
			s.waker.wakeHere() // whatever happens, a claim looks for itself now and then
		case <-s.waker.told:
		}
		if err := s.takeNotices(s.life); err != nil && s.life.Err() == nil {
			s.log.trouble("looking at what other replicas have changed", err)
			// Nobody may say so again, and the poll interval is the host's: it can be hours.
			pause(s.life, relookAfter)
			fill(s.waker.told)
		}
	}
}

// noticed is what a call ends with that has written notices: what is this replica's own it looks at
// now, and the others are told. It does not fail: what is not looked at now is as soon as the
// server can be reached.
func (s *Store) noticed(ctx context.Context) {
	if err := s.takeNotices(context.WithoutCancel(ctx)); err != nil {
		fill(s.waker.told)
	}
	fill(s.waker.tell)
}

package pgstore

import (
	"context"
	"math"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule"
)

// subscriptionState is a subscription with its health.
type subscriptionState struct {
	sub        subscription
	canceledTo uint64
	health     store.Health
}

// states reads subscriptions by their numbers. Those that are deleted are not among them.
func (s *Store) states(ctx context.Context, nums []int64) (map[int64]*subscriptionState, error) {
	states := make(map[int64]*subscriptionState, len(nums))
	err := s.read(ctx, indexSettings, func(b *batch) { b.Queue(s.sql.States, nums).Query(readStates(states)) })
	return states, err
}

func readStates(into map[int64]*subscriptionState) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		for rows.Next() {
			st := &subscriptionState{}
			var h health
			var canceledTo int64
			if err := rows.Scan(append(append(st.sub.columns(), &canceledTo), h.columns()...)...); err != nil {
				return err
			}
			st.sub.tidy()
			st.canceledTo, st.health = uint64(canceledTo), h.record()
			into[st.sub.num] = st
		}
		return rows.Err()
	}
}

// stateOf returns what the schedule is to know of a subscription.
func (m *memory) stateOf(q *queue, st *subscriptionState) schedule.State {
	return schedule.State{
		Active: m.active(q), Health: st.health,
		Tenant: st.sub.Tenant, Host: schedule.HostOf(st.sub.URL),
	}
}

// active reports whether deliveries of a subscription may be claimed at all.
func (m *memory) active(q *queue) bool {
	return q.Data.sub != nil && q.Data.sub.Status == store.Subscribed && m.shareOf(q.Num).state == shareOwned
}

// asked says which window of which Lack a row of the windows statement is of.
type asked struct {
	lack   int
	source schedule.Source
}

// loadLacks reads what the schedule lacks, and hands it over. The mutex is not held over the
// reading: what changes meanwhile, the schedule remembers.
func (s *Store) loadLacks(ctx context.Context, lacks []schedule.Lack) error {
	loads := make([]schedule.Loaded, len(lacks))
	states := make(map[int64]*subscriptionState)
	err := s.readLacks(ctx, lacks, loads, states)
	s.mu.Lock()
	defer s.unlock()
	now := s.clock.now()
	for i := range lacks {
		if err != nil {
			loads[i] = schedule.Loaded{}
		}
		st := states[int64(lacks[i].Num)]
		q := s.schedule.Sub(lacks[i].Num)
		if err == nil && lacks[i].State && q != nil && !q.Known() {
			if st == nil { // it was deleted
				s.schedule.Load(&lacks[i], schedule.Loaded{}, now)
				s.schedule.Forget(q)
				continue
			}
			q.Data.sub = &st.sub.Subscription
			if st.canceledTo > q.Data.canceledTo {
				q.Data.canceledTo = st.canceledTo
				s.schedule.CancelImplicit(q, st.canceledTo)
			}
			state := s.stateOf(q, st)
			loads[i].State = &state
		}
		s.schedule.Load(&lacks[i], loads[i], now)
	}
	return err
}

func (s *Store) readLacks(ctx context.Context, lacks []schedule.Lack, loads []schedule.Loaded, states map[int64]*subscriptionState) error {
	var nums, subs, dues, seqs []int64
	var ords, lastOrds []int32
	var lastSubs []int64
	var retries []bool
	var wanted, wantedLast []asked
	for i := range lacks {
		l := &lacks[i]
		if l.State {
			nums = append(nums, int64(l.Num))
		}
		for _, source := range [...]schedule.Source{schedule.Packed, schedule.First, schedule.Retry} {
			w := &l.Windows[source]
			if !w.Needed {
				continue
			}
			loads[i].Windows[source] = schedule.LoadedWindow{OK: true, UpTo: w.After, Complete: true}
			if source == schedule.Packed {
				continue // the database has none
			}
			if w.Newest {
				lastOrds, lastSubs = append(lastOrds, int32(len(wantedLast))), append(lastSubs, int64(l.Num))
				wantedLast = append(wantedLast, asked{i, source})
				continue
			}
			due := dueOf(w.After)
			if source == schedule.Retry && due == 0 {
				due = 1 // first attempts have 0
			}
			ords, subs = append(ords, int32(len(wanted))), append(subs, int64(l.Num))
			dues, seqs = append(dues, due), append(seqs, int64(min(w.After.Seq, math.MaxInt64)))
			retries = append(retries, source == schedule.Retry)
			wanted = append(wanted, asked{i, source})
		}
	}
	return s.read(ctx, indexSettings, func(b *batch) {
		if len(nums) > 0 {
			b.Queue(s.sql.States, nums).Query(readStates(states))
		}
		if len(wanted) > 0 {
			b.Queue(s.sql.Windows, ords, subs, dues, seqs, retries, maxWindow+1).
				Query(func(rows pgx.Rows) error { return readWindows(rows, wanted, loads) })
		}
		if len(wantedLast) > 0 {
			b.Queue(s.sql.Newest, lastOrds, lastSubs, maxWindow).
				Query(func(rows pgx.Rows) error { return readNewest(rows, wantedLast, loads) })
		}
	})
}

// readWindows reads what follows in windows.
func readWindows(rows pgx.Rows, wanted []asked, loads []schedule.Loaded) error {
	var ord int32
	var due, seq int64
	var pending bool
	seen := make([]int, len(wanted))
	_, err := pgx.ForEachRow(rows, []any{&ord, &due, &seq, &pending}, func() error {
		a := wanted[ord]
		w := &loads[a.lack].Windows[a.source]
		if seen[ord]++; seen[ord] > maxWindow {
			w.Complete = false
			return nil
		}
		p := positionOf(due, uint64(seq))
		w.UpTo = p
		if pending {
			w.Positions = append(w.Positions, p)
		}
		return nil
	})
	return err
}

// readNewest reads the newest of windows.
func readNewest(rows pgx.Rows, wanted []asked, loads []schedule.Loaded) error {
	var ord int32
	var seq int64
	var pending bool
	_, err := pgx.ForEachRow(rows, []any{&ord, &seq, &pending}, func() error {
		if pending {
			w := &loads[wanted[ord].lack].Windows[wanted[ord].source]
			w.Positions = append(w.Positions, schedule.Position{Seq: uint64(seq)})
		}
		return nil
	})
	return err
}

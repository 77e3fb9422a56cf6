package pgstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// newEvent is an event to be stored.
type newEvent struct {
	events.Event // without its payload
	body         []byte
}

// build validates the events, makes their bodies and drops those given twice.
func build(evs []events.Event) (built []newEvent, size int, err error) {
	given := make(map[string]int, len(evs))
	built = make([]newEvent, 0, len(evs))
	for _, ev := range evs {
		body, err := ev.Body()
		if err != nil {
			return nil, 0, err
		}
		ev.Payload, ev.Time = nil, time.UnixMilli(ev.Time.UnixMilli()).UTC()
		e := newEvent{ev, body}
		if i, twice := given[ev.ID]; twice {
			if !built[i].same(&e) {
				return nil, 0, conflict(ev.ID)
			}
			continue
		}
		given[ev.ID] = len(built)
		built = append(built, e)
		size += len(body)
	}
	return built, size, nil
}

func conflict(id string) error { return fmt.Errorf("event %s: %w", id, store.ErrConflict) }

// same reports whether e and o have the same content, of which the trace is no part.
func (e *newEvent) same(o *newEvent) bool {
	return e.Type == o.Type && e.Tenant == o.Tenant && e.Key == o.Key && e.Time.Equal(o.Time) &&
		string(e.body) == string(o.body)
}

// enqueueArgs are the arguments of the enqueue statement but its last two.
func enqueueArgs(evs []newEvent) []any {
	n := len(evs)
	ids, types, tenants, keys := make([]string, n), make([]string, n), make([]string, n), make([]string, n)
	times, bodies, traces, kinds := make([]time.Time, n), make([][]byte, n), make([]string, n), make([]int32, n)
	known := kindsOf(evs)
	var patternKinds []int32
	var patternTenants, patterns []string
	for k, number := range known {
		for _, p := range patternsOf(k.eventType) {
			patternKinds, patternTenants, patterns = append(patternKinds, number), append(patternTenants, k.tenant), append(patterns, p)
		}
	}
	for i := range evs {
		e := &evs[i]
		ids[i], types[i], tenants[i], keys[i] = e.ID, e.Type, e.Tenant, e.Key
		times[i], bodies[i], traces[i] = e.Time, e.body, e.Trace
		kinds[i] = known[kind{e.Tenant, e.Type}]
	}
	return []any{ids, types, tenants, keys, times, bodies, traces, kinds, patternKinds, patternTenants, patterns}
}

// kind is what decides who wants an event, but for the time.
type kind struct{ tenant, eventType string }

// kindsOf numbers the kinds of the events.
func kindsOf(evs []newEvent) map[kind]int32 {
	numbers := make(map[kind]int32)
	for i := range evs {
		k := kind{evs[i].Tenant, evs[i].Type}
		if _, there := numbers[k]; !there {
			numbers[k] = int32(len(numbers))
		}
	}
	return numbers
}

// patternsOf returns what is in the table of patterns of those who want events of the type.
func patternsOf(eventType string) []string {
	patterns := events.Patterns(eventType)
	if !events.Operational(eventType) {
		patterns = append(patterns, "") // it stands for every other type
	}
	return patterns
}

// stored is a new event, with those that get it and have no row for it.
type stored struct {
	seq    int64
	subs   []int64
	others bool // some are another replica's
}

// readStored reads what the enqueue statement says.
func readStored(rows pgx.Rows) (out []stored, err error) {
	for rows.Next() {
		var ok bool
		var other *string
		var seq *int64
		var subs []int64
		var others *bool
		if err := rows.Scan(&ok, &other, &seq, &subs, &others); err != nil {
			return nil, err
		}
		if !ok {
			rows.Close()
			return nil, conflict(*other)
		}
		if seq != nil {
			out = append(out, stored{*seq, subs, *others})
		}
	}
	return out, rows.Err()
}

// Enqueue implements [store.Queue].
//
// Calls that come while others are on their way to the disk share one transaction. One that waits
// for an event of the same ID in an open transaction of the host's waits alone.
func (s *Store) Enqueue(ctx context.Context, evs ...events.Event) error {
	built, size, err := build(evs)
	if err == nil {
		err = s.begin(ctx)
	}
	if err == nil && len(built) > 0 {
		_, err = s.enqueues.do(ctx, built, size)
	}
	if errors.Is(err, errAlone) {
		err = s.enqueueAlone(ctx, built)
	}
	if err != nil {
		return fmt.Errorf("pgstore: enqueue: %w", err)
	}
	return nil
}

// publishing is a transaction that publishes for shares of this replica, from before it begins
// until its effect is known.
type publishing struct{}

// enqueue stores events in a transaction of its own, and tells the schedule. The first try is for
// events that are new.
func (s *Store) enqueue(ctx context.Context, evs []newEvent, settings string) (err error) {
	for try := range tries {
		var out []stored
		var refused error
		p := s.beginPublishing()
		err = s.write(ctx, settings, func(b *batch) {
			b.Queue(s.sql.LockShared, s.lockOf(s.owner.id))
			b.Queue(s.sql.Enqueue, append(enqueueArgs(evs), s.owner.id, s.table("events"), try > 0)...).
				Query(func(rows pgx.Rows) error { out, refused = readStored(rows); return nil })
		})
		if err == nil {
			err = refused
		}
		switch {
		case err == nil:
			s.endPublishing(p, out)
			return nil
		case state(err) == "" && !errors.Is(err, store.ErrConflict):
			s.lostPublishing(p, evs) // it may have committed
		default:
			s.endPublishing(p, nil)
		}
		if !transient(err) {
			return told("event", err)
		}
	}
	return err
}

// beginPublishing keeps low marks below the events of a transaction that is about to begin.
func (s *Store) beginPublishing() *publishing {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := &publishing{}
	s.floors[p] = s.lastSeq
	return p
}

// endPublishing tells the schedule, and other replicas, what a transaction has stored.
func (s *Store) endPublishing(p *publishing, out []stored) {
	others := false
	s.mu.Lock()
	delete(s.floors, p)
	now := s.clock.now()
	for _, e := range out {
		s.lastSeq = max(s.lastSeq, uint64(e.seq))
		for _, sub := range e.subs {
			s.feed(uint64(sub), uint64(e.seq), now)
		}
		others = others || e.others
	}
	s.unlock()
	if others {
		fill(s.waker.tell)
	}
}

// lostPublishing finds out what has become of a transaction whose end is not known, in the
// background.
func (s *Store) lostPublishing(p *publishing, evs []newEvent) {
	ids := make([]string, len(evs))
	for i := range evs {
		ids[i] = evs[i].ID
	}
	s.background.Go(func() {
		for s.life.Err() == nil {
			err := s.findPublished(p, ids)
			if err == nil {
				return
			}
			if s.life.Err() == nil {
				s.log.trouble("finding out whether events were stored", err)
			}
			pause(s.life, time.Second)
		}
	})
}

// findPublished waits until the transaction has ended, by taking the lock that it has exclusively,
// and gives what it has stored to the schedule.
func (s *Store) findPublished(p *publishing, ids []string) error {
	var out []stored
	err := s.transact(s.life, 0, beginWrite, indexSettings, func(b *batch) {
		b.Queue("SELECT pg_advisory_xact_lock($1)", s.lockOf(s.owner.id))
		b.Queue(s.sql.Published, ids).Query(func(rows pgx.Rows) (err error) {
			out, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (e stored, err error) {
				err = row.Scan(&e.seq, &e.subs)
				return e, err
			})
			return err
		})
	})
	if err != nil {
		return err
	}
	s.mu.Lock()
	floor := s.floors[p]
	s.mu.Unlock()
	var fresh []stored
	for _, e := range out {
		if uint64(e.seq) > floor {
			fresh = append(fresh, e)
		}
	}
	s.endPublishing(p, fresh)
	return nil
}

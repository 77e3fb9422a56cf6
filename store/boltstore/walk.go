package boltstore

import (
	"context"
	"iter"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/internal/page"
)

// sliceTime bounds how long one transaction of a listing lasts, in nanoseconds.
const sliceTime = int64(2 * time.Millisecond)

// foundDelivery is a delivery with where it stands.
type foundDelivery struct {
	at       page.Position
	delivery store.Delivery
}

// slicer reads deliveries from a boundary on, in one transaction. It keeps what it finds, and how
// far it came.
type slicer struct {
	t    *txn
	q    *store.DeliveryQuery
	num  uint64 // of the one subscription that is asked for, or 0
	seq  uint64 // of the one event, or 0
	from page.Cursor

	inOrder bool // the times of all events go with their order, as far as matters for Since

	fresh     []uint64 // events of num that memory knows to be fresh, from here on in the direction
	freshMore bool     // it knows more

	found []foundDelivery
	seen  int
	more  bool // there is more behind from
}

// walkDeliveries returns a walker of the deliveries that q selects.
func (s *Store) walkDeliveries(
	ctx context.Context, q *store.DeliveryQuery,
) (page.Walk[store.Delivery], error) {
	nothing := func(page.Cursor, func(page.Position, *store.Delivery) bool) error { return nil }
	if err := s.check(ctx); err != nil {
		return nil, err
	}
	var num, seq uint64
	err := s.read(ctx, func(t *txn) (err error) {
		if q.SubscriptionID != "" {
			num, err = t.number(subIDs, []byte(q.SubscriptionID))
		}
		if q.EventID != "" && err == nil {
			seq, err = t.eventNumber(q.EventID)
		}
		return err
	})
	if err != nil || q.SubscriptionID != "" && num == 0 || q.EventID != "" && seq == 0 {
		return nothing, err
	}
	return func(from page.Cursor, visit func(page.Position, *store.Delivery) bool) error {
		sl := slicer{q: q, num: num, seq: seq, from: from, more: true}
		for sl.more {
			if err := s.check(ctx); err != nil {
				return err
			}
			if err := s.slice(ctx, &sl); err != nil {
				return err
			}
			for i := range sl.found {
				if f := &sl.found[i]; !visit(f.at, &f.delivery) {
					return nil
				}
			}
		}
		return nil
	}, nil
}

// slice reads on.
func (s *Store) slice(ctx context.Context, sl *slicer) error {
	sl.found, sl.seen, sl.more = nil, 0, false
	if sl.num != 0 && sl.seq == 0 {
		s.sliceFresh(sl)
	}
	return s.read(ctx, func(t *txn) error {
		sl.t = t
		if err := sl.order(); err != nil {
			return err
		}
		switch {
		case sl.seq != 0:
			return sl.oneEvent()
		case sl.num != 0:
			return sl.oneSubscription()
		}
		return sl.everything()
	})
}

// stop reports whether the slice is long enough.
func (sl *slicer) stop() bool {
	sl.seen++
	return len(sl.found) >= sliceSize || sl.seen > 1 && sl.t.store.now()-sl.t.now > sliceTime
}

// pass moves on behind a position.
func (sl *slicer) pass(p page.Position) { sl.from = sl.from.Pass(p) }

// upTo moves on to an event.
func (sl *slicer) upTo(seq uint64) {
	if sl.from.At = (page.Position{Seq: seq}); sl.from.Back {
		sl.from.At.Num = page.MaxNumber
	}
}

// everything reads event by event.
func (sl *slicer) everything() error {
	for k, v := range sl.events() {
		if seq := number(k, 0); seq != sl.from.At.Seq {
			sl.upTo(seq)
		}
		if sl.stop() {
			sl.more = true
			return nil
		}
		past, err := sl.event(k, v)
		if err != nil || sl.more || past {
			return err
		}
	}
	return nil
}

// events iterates over the events from where we are, in the direction of the walk.
func (sl *slicer) events() iter.Seq2[[]byte, []byte] {
	c := sl.t.bucket(log).Cursor()
	if !sl.from.Back { // that is from the newest on
		after := key1(sl.from.At.Seq + 1)
		return boltfile.Descend(c, nil, after[:])
	}
	return func(yield func(k, v []byte) bool) {
		from := key1(sl.from.At.Seq)
		for k, v := c.Seek(from[:]); k != nil && yield(k, v); {
			k, v = c.Next()
		}
	}
}

// oneEvent reads the deliveries of one event.
func (sl *slicer) oneEvent() error {
	key := key1(sl.seq)
	v := sl.t.get(log, key[:])
	if v == nil {
		return nil
	}
	_, err := sl.event(key[:], v)
	return err
}

// event reads the deliveries of an event from where we are. When the slice gets too long, more is
// set. It is past when no event from it on can be selected.
func (sl *slicer) event(k, v []byte) (past bool, err error) {
	e, err := decodeEvent(k, v)
	if err != nil || !sl.selects(&e) {
		return err == nil && sl.past(&e), err
	}
	packed, err := decodeTargets(k, v)
	if err != nil {
		return false, err
	}
	nums, err := unpackAll(packed)
	if err != nil {
		return false, err
	}
	return false, sl.targets(number(k, 0), &e, nums)
}

// targets is event for those whom the event is for.
func (sl *slicer) targets(seq uint64, e *event, nums []uint64) error {
	if sl.num != 0 {
		if _, ok := slices.BinarySearch(nums, sl.num); !ok {
			return nil
		}
		nums = []uint64{sl.num}
	}
	if sl.from.Back {
		slices.Reverse(nums)
	}
	for _, num := range nums {
		if !sl.from.Reaches(page.Position{Seq: seq, Num: num}) {
			continue
		}
		if sl.stop() {
			sl.more = true
			return nil
		}
		if err := sl.look(num, seq, e); err != nil {
			return err
		}
	}
	return nil
}

// order finds out whether times go with the order of events: all that have an earlier one after
// them are from before Since.
func (sl *slicer) order() error {
	if sl.from.Back || sl.q.Since.IsZero() {
		return nil
	}
	latest, err := sl.t.metaNumber(metaSetBack)
	sl.inOrder = asTime(int64(latest)).Before(sl.q.Since)
	return err
}

// past reports whether neither the event nor one that we have still to come to is new enough.
func (sl *slicer) past(e *event) bool {
	return sl.inOrder && !sl.from.Back && asTime(e.enqueued).Before(sl.q.Since)
}

// selects reports whether the query may select deliveries of the event.
func (sl *slicer) selects(e *event) bool {
	d := store.Delivery{
		EventID: e.id, EventType: e.typ, Tenant: e.tenant, CreatedAt: asTime(e.enqueued),
	}
	q := *sl.q
	q.SubscriptionID, q.States = "", nil
	return q.Matches(&d)
}

// look looks at a delivery, and moves on.
func (sl *slicer) look(num, seq uint64, e *event) error {
	at := page.Position{Seq: seq, Num: num}
	sl.pass(at)
	if !sl.t.alive(num) {
		return nil
	}
	r, ok, err := sl.t.find(num, seq, e.keyHash())
	if err != nil || !ok {
		return err
	}
	d, err := sl.t.delivery(num, e, &r)
	if err == nil && sl.q.Matches(&d) {
		sl.found = append(sl.found, foundDelivery{at, d})
	}
	return err
}

package boltstore

import (
	"iter"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/page"
)

// sliceTime bounds how long one transaction of a listing lasts, in nanoseconds.
const sliceTime = int64(2 * time.Millisecond)

// foundDelivery is a delivery with where it stands.
type foundDelivery struct {
	at       page.Position
	delivery store.Delivery
}

// slicer reads deliveries from a boundary on, in one transaction. It keeps what it finds, and how far
// it came.
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

// stop reports whether the slice is long enough.
func (sl *slicer) stop() bool {
	sl.seen++
	return len(sl.found) >= sliceSize || sl.seen > 1 && sl.t.settings.now()-sl.t.now > sliceTime
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
		if seq := record.KeyNumber(k, 0); seq != sl.from.At.Seq {
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
	c := sl.t.bucket(BucketEvents).Cursor()
	if !sl.from.Back { // that is from the newest on
		after := record.Key1(sl.from.At.Seq + 1)
		return boltfile.Descend(c, nil, after[:])
	}
	return func(yield func(k, v []byte) bool) {
		from := record.Key1(sl.from.At.Seq)
		for k, v := c.Seek(from[:]); k != nil && yield(k, v); {
			k, v = c.Next()
		}
	}
}

// oneEvent reads the deliveries of one event.
func (sl *slicer) oneEvent() error {
	key := record.Key1(sl.seq)
	v := sl.t.get(BucketEvents, key[:])
	if v == nil {
		return nil
	}
	_, err := sl.event(key[:], v)
	return err
}

// event reads the deliveries of an event from where we are. When the slice gets too long, more is
// set. It is past when no event from it on can be selected.
func (sl *slicer) event(k, v []byte) (past bool, err error) {
	e, err := record.DecodeEvent(k, v)
	if err != nil || !sl.selects(&e) {
		return err == nil && sl.past(&e), err
	}
	packed, err := record.DecodeRecipients(k, v)
	if err != nil {
		return false, err
	}
	nums, err := record.UnpackAll(packed)
	if err != nil {
		return false, err
	}
	return false, sl.targets(record.KeyNumber(k, 0), &e, nums)
}

// targets is event for those whom the event is for.
func (sl *slicer) targets(seq uint64, e *record.Event, nums []uint64) error {
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

// order finds out whether times go with the order of events: all that have an earlier one after them
// are from before Since.
func (sl *slicer) order() error {
	if sl.from.Back || sl.q.Since.IsZero() {
		return nil
	}
	latest, err := sl.t.metaNumber(metaSetBack)
	sl.inOrder = record.AsTime(int64(latest)).Before(sl.q.Since)
	return err
}

// past reports whether neither the event nor one that we have still to come to is new enough.
func (sl *slicer) past(e *record.Event) bool {
	return sl.inOrder && !sl.from.Back && record.AsTime(e.EnqueuedAt).Before(sl.q.Since)
}

// selects reports whether the query may select deliveries of the event.
func (sl *slicer) selects(e *record.Event) bool {
	d := store.Delivery{
		EventID: e.ID, EventType: e.Type, Tenant: e.Tenant, CreatedAt: record.AsTime(e.EnqueuedAt),
	}
	q := *sl.q
	q.SubscriptionID, q.States = "", nil
	return q.Matches(&d)
}

// look looks at a delivery, and moves on.
func (sl *slicer) look(num, seq uint64, e *record.Event) error {
	at := page.Position{Seq: seq, Num: num}
	sl.pass(at)
	if !sl.t.subs.exists(num) {
		return nil
	}
	r, ok, err := sl.t.pending.Find(num, seq, e.KeyHash())
	if err != nil || !ok {
		return err
	}
	d, err := sl.t.delivery(num, e, &r)
	if err == nil && sl.q.Matches(&d) {
		sl.found = append(sl.found, foundDelivery{at, d})
	}
	return err
}

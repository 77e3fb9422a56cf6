package scan

import (
	"iter"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/page"
)

// FoundDelivery is a delivery with where it stands.
type FoundDelivery struct {
	At       page.Position
	Delivery store.Delivery
}

// DeliveryReader reads deliveries from a boundary on, in one transaction. It keeps what it finds,
// and how far it came.
type DeliveryReader struct {
	t    *txn.Tx
	Q    *store.DeliveryQuery
	Num  uint64 // of the one subscription that is asked for, or 0
	Seq  uint64 // of the one event, or 0
	From page.Cursor

	// the times of all events go with their order, as far as matters for Since or Until
	inOrder bool

	// Events of num that memory knows to be implicit, from here on in the direction.
	Implicit     []uint64
	MoreImplicit bool // it knows more

	Found []FoundDelivery
	began page.Cursor // From at the beginning of the step
	More  bool        // there is more behind From
}

// Read reads on, in a transaction.
func (sl *DeliveryReader) Read(t *txn.Tx) error {
	sl.t, sl.Found, sl.began, sl.More = t, nil, sl.From, false
	if err := sl.order(); err != nil {
		return err
	}
	switch {
	case sl.Seq != 0:
		return sl.oneEvent()
	case sl.Num != 0:
		return sl.oneSubscription()
	}
	return sl.everything()
}

// stop reports whether the slice is long enough. However slow it is, it has to come further than
// where it began: otherwise every step would stop at the same place.
func (sl *DeliveryReader) stop() bool {
	return len(sl.Found) >= SliceSize || sl.From != sl.began && sl.t.IsSlow()
}

// pass moves on behind a position.
func (sl *DeliveryReader) pass(p page.Position) { sl.From = sl.From.Pass(p) }

// upTo moves on to an event.
func (sl *DeliveryReader) upTo(seq uint64) {
	if sl.From.At = (page.Position{Seq: seq}); sl.From.Back {
		sl.From.At.Num = page.MaxNumber
	}
}

// everything reads event by event.
func (sl *DeliveryReader) everything() error {
	for k, v := range sl.events() {
		if seq := record.KeyNumber(k, 0); seq != sl.From.At.Seq {
			sl.upTo(seq)
		}
		if sl.stop() {
			sl.More = true
			return nil
		}
		past, err := sl.event(k, v)
		if err != nil || sl.More || past {
			return err
		}
	}
	return nil
}

// events iterates over the events from where we are, in the direction of the walk.
func (sl *DeliveryReader) events() iter.Seq2[[]byte, []byte] {
	c := sl.t.Bucket(txn.BucketEvents).Cursor()
	if !sl.From.Back { // that is from the newest on
		after := record.Key1(sl.From.At.Seq + 1)
		return boltfile.Descend(c, nil, after[:])
	}
	return func(yield func(k, v []byte) bool) {
		from := record.Key1(sl.From.At.Seq)
		for k, v := c.Seek(from[:]); k != nil && yield(k, v); {
			k, v = c.Next()
		}
	}
}

// oneEvent reads the deliveries of one event.
func (sl *DeliveryReader) oneEvent() error {
	key := record.Key1(sl.Seq)
	v := sl.t.Get(txn.BucketEvents, key[:])
	if v == nil {
		return nil
	}
	_, err := sl.event(key[:], v)
	return err
}

// event reads the deliveries of an event from where we are. When the slice gets too long, more is
// set. It is past when no event from it on can be selected.
func (sl *DeliveryReader) event(k, v []byte) (past bool, err error) {
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
	return false, sl.recipients(record.KeyNumber(k, 0), &e, nums)
}

// recipients reads the deliveries of an event to its recipients, nums.
func (sl *DeliveryReader) recipients(seq uint64, e *record.Event, nums []uint64) error {
	if sl.Num != 0 {
		if _, ok := slices.BinarySearch(nums, sl.Num); !ok {
			return nil
		}
		nums = []uint64{sl.Num}
	}
	if sl.From.Back {
		slices.Reverse(nums)
	}
	for _, num := range nums {
		if !sl.From.Reaches(page.Position{Seq: seq, Num: num}) {
			continue
		}
		if sl.stop() {
			sl.More = true
			return nil
		}
		if err := sl.take(num, seq, e); err != nil {
			return err
		}
	}
	return nil
}

// order finds out whether times go with the order of events: all that have an earlier one after
// them are from before the end of the walk, which is Since, or Until on the way back.
func (sl *DeliveryReader) order() error {
	bound := sl.Q.Since
	if sl.From.Back {
		bound = sl.Q.Until
	}
	if bound.IsZero() {
		return nil
	}
	latest, err := sl.t.Events.SetBack()
	sl.inOrder = record.AsTime(latest).Before(bound)
	return err
}

// past reports whether neither the event nor one that we have still to come to is of the time that
// is asked for.
func (sl *DeliveryReader) past(e *record.Event) bool {
	if sl.From.Back {
		return sl.inOrder && !record.AsTime(e.EnqueuedAt).Before(sl.Q.Until)
	}
	return sl.inOrder && record.AsTime(e.EnqueuedAt).Before(sl.Q.Since)
}

// selects reports whether the query may select deliveries of the event.
func (sl *DeliveryReader) selects(e *record.Event) bool {
	d := store.Delivery{
		EventID: e.ID, EventType: e.Type, Tenant: e.Tenant, CreatedAt: record.AsTime(e.EnqueuedAt),
	}
	q := *sl.Q
	q.SubscriptionID, q.States = "", nil
	return q.Matches(&d)
}

// take looks at a delivery, and moves on.
func (sl *DeliveryReader) take(num, seq uint64, e *record.Event) error {
	at := page.Position{Seq: seq, Num: num}
	sl.pass(at)
	if !sl.t.Subs.Exists(num) {
		return nil
	}
	r, ok, err := sl.t.Pending.Find(num, seq, e.KeyHash())
	if err != nil || !ok {
		return err
	}
	d, err := sl.t.Delivery(num, e, &r)
	if err == nil && sl.Q.Matches(&d) {
		sl.Found = append(sl.Found, FoundDelivery{at, d})
	}
	return err
}

package scan

import (
	"iter"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/page"
	"github.com/outhook/outhook/store/internal/schedule"
)

// passedBytes is how many bytes of a record that is passed over count as one more record: its
// checksum is over all of it.
const passedBytes = 4096

// FoundDelivery is a delivery with where it stands, and if it is pending, with what it waits for as
// far as its record says.
type FoundDelivery struct {
	At       page.Position
	Delivery store.Delivery
	Waiting  schedule.Waiting
}

// DeliveryReader reads deliveries from a boundary on, a step in one transaction. It keeps what it
// finds, and how far it came. A caller sets Q, Num, Seq and From, and calls Read until More is
// false; before each Read it gives what memory knows to those that Dry names.
//
// It goes by one of three ways: through the one event that is asked for; through the log, event by
// event; or through the deliveries of some subscriptions, which are merged (Merge).
type DeliveryReader struct {
	t    *txn.Tx // of the step under way
	Q    *store.DeliveryQuery
	Num  uint64      // of the one subscription that is asked for, or 0
	Seq  uint64      // of the one event, or 0
	From page.Cursor // where it goes on, and in which direction

	Size int // how many deliveries one step finds at most; if zero, SliceSize
	Left int // how many records may still be passed over; if zero, any number

	// the times of all events go with their order, as far as matters for Since or Until
	inOrder bool

	merging bool
	streams []*Stream // of the subscriptions that are merged, and have anything left
	sources sources   // where their deliveries are read from
	last    cached    // the event that was looked at last, in this transaction
	known   known     // what is the same for many deliveries

	Found  []FoundDelivery // of this step, in the order of the walk; valid until the next Read
	Passed int             // how many records this step has looked at and not found
	began  page.Cursor     // From at the beginning of the step
	More   bool            // there is more behind From
}

// cached is an event that was read.
type cached struct {
	seq    uint64
	gone   bool
	view   record.EventView
	copied bool
	event  record.Event // a copy of view, once a delivery of it was looked at
}

// Read reads on, in a transaction. It fills Found and moves From. An error ends the walk: what is
// damaged must not look like what is not there.
func (sl *DeliveryReader) Read(t *txn.Tx) error {
	sl.t, sl.Found, sl.Passed, sl.began, sl.More = t, sl.Found[:0], 0, sl.From, false
	sl.last = cached{} // its view is the memory of the former transaction
	sl.known.begin()
	// In each step: the clock may be set back between two of them.
	if err := sl.order(); err != nil {
		return err
	}
	switch {
	// The event first, even if the subscription is given too: one record has it all.
	case sl.Seq != 0:
		return sl.oneEvent()
	case sl.merging:
		return sl.merge()
	}
	return sl.everything()
}

// stop reports whether the step is long enough. However slow it is, it has to come further than
// where it began: otherwise every step would stop at the same place.
func (sl *DeliveryReader) stop() bool {
	return len(sl.Found) >= sl.size() || sl.Left > 0 && sl.Passed >= sl.Left ||
		sl.From != sl.began && sl.t.IsSlow()
}

func (sl *DeliveryReader) size() int {
	if sl.Size == 0 {
		return SliceSize
	}
	return sl.Size
}

// pass moves on behind a position.
func (sl *DeliveryReader) pass(p page.Position) { sl.From = sl.From.Pass(p) }

// upTo moves on to an event. From then stands before the first of its deliveries, in the direction
// of the walk.
func (sl *DeliveryReader) upTo(seq uint64) {
	if sl.From.At = (page.Position{Seq: seq}); sl.From.Back {
		sl.From.At.Num = page.MaxNumber
	}
}

// everything reads event by event. Each event has its recipients, so this is the order of the
// listing.
func (sl *DeliveryReader) everything() error {
	for k, v := range sl.events() {
		// In an event that the last step did not finish, From stays where it is among the
		// recipients. With any other it moves on before stop is asked, so that passing over an
		// event counts as having come further.
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
	c := sl.t.Bucket(buckets.Events).Cursor()
	if !sl.From.Back { // that is from the newest on
		// The event where we are belongs to it: there may be more recipients.
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
	v := sl.t.Get(buckets.Events, key[:])
	if v == nil {
		return nil
	}
	_, err := sl.event(key[:], v)
	return err
}

// event reads the deliveries of an event from where we are. When the slice gets too long, more is
// set. It is past when no event from it on can be selected.
func (sl *DeliveryReader) event(k, v []byte) (past bool, err error) {
	view, err := record.ViewEvent(k, v)
	// The event alone often decides, and then neither the recipients nor any row is read.
	if err != nil || !sl.selects(&view) {
		sl.Passed += 1 + len(v)/passedBytes
		return err == nil && sl.past(&view), err
	}
	packed, err := record.DecodeRecipients(k, v)
	if err != nil {
		return false, err
	}
	sl.known.nums, err = record.AppendUnpacked(sl.known.nums[:0], packed)
	if err != nil {
		return false, err
	}
	sl.known.event = sl.known.copy(&view)
	return false, sl.recipients(record.KeyNumber(k, 0), &sl.known.event, sl.known.nums)
}

// recipients reads the deliveries of an event to its recipients, nums. nums is the caller's, and is
// reversed on the way back.
func (sl *DeliveryReader) recipients(seq uint64, e *record.Event, nums []uint64) error {
	if sl.Num != 0 {
		// Above the watermark Find would take any subscription for a recipient.
		if _, ok := slices.BinarySearch(nums, sl.Num); !ok {
			return nil
		}
		nums = []uint64{sl.Num}
	}
	if sl.From.Back {
		slices.Reverse(nums)
	}
	for _, num := range nums {
		// An earlier step has dealt with it, as the event was too long for one step.
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
// them are from before the end of the walk, which is Since, or Until on the way back. If they do,
// the walk ends at the first event that is beyond its end; otherwise it reads all.
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

// Skip moves on to the first event that can be of the time that is asked for, if the order of the
// events tells. It is called once, before the first Read.
func (sl *DeliveryReader) Skip(t *txn.Tx) error {
	bound := sl.Q.Until
	if sl.From.Back {
		bound = sl.Q.Since
	}
	if sl.Seq != 0 || bound.Unix() <= 0 { // before 1970 there are no events
		return nil
	}
	first, err := t.Events.FirstSince(schedule.Nanos(bound))
	switch {
	case err != nil || first == 0:
		return err
	case sl.From.Back && sl.From.At.Seq < first:
		sl.From.At = page.Position{Seq: first, Num: page.MaxNumber}
	case !sl.From.Back && sl.From.At.Seq >= first:
		sl.From.At = page.Position{Seq: first - 1}
	}
	return nil
}

// past reports whether neither the event nor one that we have still to come to is of the time that
// is asked for.
func (sl *DeliveryReader) past(e *record.EventView) bool {
	if sl.From.Back {
		return sl.inOrder && !record.AsTime(e.EnqueuedAt).Before(sl.Q.Until)
	}
	return sl.inOrder && record.AsTime(e.EnqueuedAt).Before(sl.Q.Since)
}

// selects reports whether the query may select deliveries of the event. It asks the query itself,
// with what belongs to the single delivery left out, so there is one place that says what matches.
func (sl *DeliveryReader) selects(e *record.EventView) bool {
	d := store.Delivery{
		EventType: sl.known.name(e.Type), Tenant: sl.known.name(e.Tenant),
		CreatedAt: record.AsTime(e.EnqueuedAt),
	}
	q := *sl.Q
	q.SubscriptionID, q.States, q.ErrorClass, q.LastStatus = "", nil, "", store.StatusRange{}
	if q.EventID != "" {
		d.EventID = string(e.ID) // each event has another, so it is copied only when asked for
	}
	if q.Key != "" {
		d.Key = string(e.Key)
	}
	return q.Matches(&d) && (q.Tag == "" || e.HasTag(q.Tag))
}

// waiting returns what a delivery waits for as far as its record says.
func waiting(seq uint64, r *pending.Delivery) (w schedule.Waiting) {
	if r.Pending() {
		w = schedule.Waiting{Position: r.Position(seq), Blocked: r.Blocked}
	}
	return w
}

// take looks at a delivery, and moves on. It keeps it if the query selects it.
func (sl *DeliveryReader) take(num, seq uint64, e *record.Event) error {
	at := page.Position{Seq: seq, Num: num}
	// First, whatever becomes of it: a delivery that is looked at is never looked at again.
	sl.pass(at)
	sl.Passed++ // unless it is found
	if !sl.known.exists(sl.t, num) {
		return nil
	}
	r, ok, err := sl.t.Pending.Find(num, seq, e.KeyHash())
	if err != nil || !ok {
		return err
	}
	d, err := sl.t.Delivery(num, e, &r)
	if err == nil && sl.Q.Matches(&d) {
		sl.Found = append(sl.Found, FoundDelivery{at, d, waiting(seq, &r)})
		sl.Passed--
	}
	return err
}

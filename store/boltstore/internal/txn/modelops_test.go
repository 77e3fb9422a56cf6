package txn_test

import (
	"encoding/json"
	"errors"
	"slices"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/page"
)

// step does one random operation.
func (m *model) step() {
	m.file.Wall = m.file.Wall.Add(time.Second)
	m.file.Now += int64(time.Second)
	switch n := m.rand.IntN(100); {
	case n < 12:
		m.create()
	case n < 20:
		m.update()
	case n < 23:
		m.delete()
	case n < 50:
		m.enqueue()
	case n < 68:
		m.finish()
	case n < 74:
		m.late()
	case n < 82:
		m.requeue()
	case n < 87:
		m.erase()
	case n < 93:
		m.purge()
	default:
		m.spill()
	}
}

// enqueue stores up to three events: new ones, ones that are stored, or one with another's ID.
func (m *model) enqueue() {
	m.last = "enqueue"
	var evs []events.Event
	conflict := false
	for range 1 + m.rand.IntN(3) {
		if len(m.events) > 0 && m.rand.IntN(6) == 0 {
			stored := m.events[m.rand.IntN(len(m.events))]
			again := stored.Event
			if m.rand.IntN(4) == 0 {
				again.Payload = json.RawMessage(`{"other":true}`)
				// Of an erased one nothing is known, and one without deliveries is stored to nobody.
				conflict = conflict || !stored.erased && m.hasDeliveries(stored)
			}
			conflict = conflict || !stored.erased && slices.ContainsFunc(evs,
				func(o events.Event) bool {
					return o.Tenant == again.Tenant && o.ID == again.ID &&
						string(o.Payload) != string(again.Payload)
				})
			evs = append(evs, again)
			continue
		}
		ev := events.Event{
			ID: m.newID("ev"), Tenant: []string{"a", "b"}[m.rand.IntN(2)], Time: m.now(),
			Type:    []string{"message.created", "message.deleted", "order.paid"}[m.rand.IntN(3)],
			Key:     []string{"", "x", "y"}[m.rand.IntN(3)],
			Payload: json.RawMessage(`{"n":1}`),
		}
		if len(m.events) > 0 && m.rand.IntN(3) == 0 {
			known := m.events[m.rand.IntN(len(m.events))]
			if m.event(ev.Tenant, known.ID) == nil && !slices.ContainsFunc(evs,
				func(o events.Event) bool { return o.ID == known.ID }) {
				ev.ID = known.ID
			}
		}
		evs = append(evs, ev)
	}
	built, err := record.NewEvents(evs)
	if err != nil {
		m.t.Fatal(err)
	}
	if conflict {
		m.conflict(built)
		return
	}
	m.transact(func(t *txn.Tx) error { return t.Enqueue(built, nil) }, func() {
		for _, e := range evs {
			m.stored(e)
		}
	})
}

// conflict has events refused. Nothing of them may have been written by then.
func (m *model) conflict(built []*record.Event) {
	m.last = "enqueue with a conflict"
	_, err := m.file.TryUpdate(txn.Riders{}, func(t *txn.Tx) error {
		intact, err := t.Try(func() error { return t.Enqueue(built, nil) })
		if !intact || t.NeedsCommit() {
			m.t.Errorf("intact %v, needs commit %v, want true and false", intact, t.NeedsCommit())
		}
		return err
	})
	if !errors.Is(err, store.ErrConflict) {
		m.t.Errorf("Enqueue gave %v, want %v", err, store.ErrConflict)
	}
}

// stored makes the deliveries of an event, unless it was stored before.
func (m *model) stored(e events.Event) {
	known := m.event(e.Tenant, e.ID)
	if known != nil && (known.erased || m.hasDeliveries(known)) {
		return
	}
	found := false
	for id, sub := range m.subs {
		// One that is stored anew may be older than a subscription.
		if !gets(&sub, e.Tenant, e.Type) ||
			sub.SubscribedAt.After(e.Time.Add(store.SubscribeGrace)) {
			continue
		}
		found = true
		d := &modelDelivery{state: store.Pending}
		if sub.Disabled() {
			d.state, d.reason = store.Canceled, sub.DisabledReason
		}
		m.deliveries[deliveryName{id, e.ID}] = d
	}
	if found {
		m.events = slices.DeleteFunc(m.events, func(o *modelEvent) bool { return o == known })
		m.events = append(m.events, &modelEvent{Event: e})
	} else {
		m.unstored = append(m.unstored, [2]string{e.Tenant, e.ID})
	}
}

// hasDeliveries reports whether an event has a delivery.
func (m *model) hasDeliveries(e *modelEvent) bool {
	for id := range m.subs {
		if m.delivery(id, e) != nil {
			return true
		}
	}
	return false
}

// finish records the outcome of a pending delivery that was claimed.
func (m *model) finish() {
	m.last = "finish"
	n, ok := m.someDelivery(store.Pending)
	if !ok || !m.isFirst(n) {
		return
	}
	states := []store.State{store.Delivered, store.Pending, store.Dead, store.Canceled}
	o := txn.NewOutcome(store.Outcome{
		Lease:   store.Lease{SubscriptionID: n.sub, EventID: n.event},
		State:   states[m.rand.IntN(len(states))],
		Attempt: store.Attempt{Status: 500, Error: "it failed"},
		RetryIn: time.Minute,
	})
	m.file.View(func(t *txn.Tx) error {
		num, seq, d, _, err := t.LookUp(n.sub, n.event)
		o.Claimed, o.Id = true, pending.ID{Num: num, Seq: seq}
		o.KeyHash, o.AsOf = d.KeyHash, d.AsOf
		return err
	})
	m.transact(func(t *txn.Tx) error { return m.finishOne(t, &o, false) }, func() {
		m.ended(n, &o)
		// A second time the delivery is another one: it has ended, or is as of a later number.
		if o.State != store.Delivered && o.State != store.Pending {
			m.file.Update(func(t *txn.Tx) error { return m.finishOne(t, &o, true) })
		}
	})
}

func (m *model) finishOne(t *txn.Tx, o *txn.Outcome, ignored bool) error {
	r, err := t.FinishDelivery(o)
	if err == nil && r.Ignored != ignored {
		m.t.Errorf("the outcome of %s was ignored: %v, want %v", o.EventID, r.Ignored, ignored)
	}
	return err
}

// ended makes a delivery what an outcome says.
func (m *model) ended(n deliveryName, o *txn.Outcome) {
	d := m.deliveries[n]
	if d.state = o.State; o.State == store.Canceled {
		d.reason = o.Attempt.Error
		return
	}
	d.attempts, d.failed = d.attempts+1, o.Attempt.Error
}

// late records an outcome whose token is worth nothing any more: a success alone counts, and only
// if the delivery is not dead.
func (m *model) late() {
	m.last = "late"
	n, ok := m.someDelivery(store.Pending, store.Dead, store.Canceled, store.Delivered)
	if !ok {
		return
	}
	o := txn.NewOutcome(store.Outcome{
		Lease: store.Lease{SubscriptionID: n.sub, EventID: n.event},
		State: []store.State{store.Delivered, store.Dead}[m.rand.IntN(2)],
	})
	was := m.deliveries[n].state
	counts := o.State == store.Delivered && (was == store.Pending || was == store.Canceled)
	m.transact(func(t *txn.Tx) error { return m.finishOne(t, &o, !counts) }, func() {
		if counts {
			m.ended(n, &o)
		}
	})
}

// requeue makes the deliveries of a subscription in some state due again.
func (m *model) requeue() {
	m.last = "requeue"
	n, ok := m.someDelivery(store.Dead, store.Canceled, store.Delivered)
	if !ok {
		return
	}
	sub, state := m.subs[n.sub], m.deliveries[n].state
	q := store.DeliveryQuery{
		SubscriptionID: n.sub, Tenant: sub.Tenant, States: []store.State{state},
	}
	var positions []page.Position
	want := 0
	m.file.View(func(t *txn.Tx) error {
		for _, e := range m.events {
			d := m.delivery(n.sub, e)
			if d == nil {
				continue
			}
			num, seq, _, _, err := t.LookUp(n.sub, e.ID)
			if err != nil {
				return err
			}
			positions = append(positions, page.Position{Seq: seq, Num: num})
			if d.state == state && sub.Status == store.Subscribed && !e.erased {
				want++
			}
		}
		return nil
	})
	var got store.RequeueResult
	m.transact(func(t *txn.Tx) (err error) {
		got, err = t.Requeue(&q, positions, func(page.Position) bool { return false })
		return err
	}, func() {
		if got.Requeued != want {
			m.t.Errorf("%d were requeued, want %d", got.Requeued, want)
		}
		for _, e := range m.events {
			d := m.delivery(n.sub, e)
			if d != nil && d.state == state && sub.Status == store.Subscribed && !e.erased {
				d.state = store.Pending
			}
		}
	})
}

func (m *model) erase() {
	m.last = "erase"
	if len(m.events) == 0 {
		return
	}
	e := m.events[m.rand.IntN(len(m.events))]
	m.transact(func(t *txn.Tx) error {
		seq, err := t.IDs.Find(e.Tenant, e.ID)
		if err != nil {
			return err
		}
		n, _, err := t.Erasures.Erase([]uint64{seq})
		if want := !e.erased; err == nil && (n == 1) != want {
			m.t.Errorf("%d events were erased, want one: %v", n, want)
		}
		return err
	}, func() {
		e.erased = true
		for n, d := range m.deliveries {
			if m.delivery(n.sub, e) == d && d.state == store.Pending {
				d.state, d.reason = store.Canceled, pending.ErasedReason
			}
		}
	})
}

// purge takes a step of a purge, or of an erasure.
func (m *model) purge() {
	m.last = "purge"
	if p := m.file.Memory.NextPurge(); p != nil && m.rand.IntN(2) == 0 {
		m.transact(p.Step, func() {})
		return
	}
	erased := slices.Collect(func(yield func(*modelEvent) bool) {
		for _, e := range m.events {
			if e.erased && !yield(e) {
				return
			}
		}
	})
	if len(erased) == 0 {
		return
	}
	m.last = "step of an erasure"
	e := erased[m.rand.IntN(len(erased))]
	m.transact(func(t *txn.Tx) error {
		seq, err := t.IDs.Find(e.Tenant, e.ID)
		if err == nil {
			_, err = t.Erasures.Step(seq)
		}
		return err
	}, func() {})
}

// spill has the watermark rise.
func (m *model) spill() {
	m.last = "spill"
	if len(m.events) == 0 {
		return
	}
	to := uint64(0)
	m.file.View(func(t *txn.Tx) (err error) {
		e := m.events[m.rand.IntN(len(m.events))]
		to, err = t.IDs.Find(e.Tenant, e.ID)
		return err
	})
	if to > m.file.Memory.Watermark {
		m.file.Spill(to)
		m.file.View(func(t *txn.Tx) error {
			if s := &t.Pending; s.Watermark != to || s.Rising != to {
				m.t.Errorf("the watermark is %d, rising %d, want %d", s.Watermark, s.Rising, to)
			}
			return nil
		})
	}
}

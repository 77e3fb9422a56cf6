package storetest

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// sameError checks that both calls failed alike, or not at all, and reports whether they succeeded.
func (tw *twins) sameError(what string, ours, model error) bool {
	if g, w := kindOf(ours), kindOf(model); g != w {
		tw.ours.errorf("%s: got error %v, want %v", what, ours, model)
	}
	return ours == nil && model == nil
}

// kindOf returns what a caller tells apart of an error.
func kindOf(err error) string {
	var invalid *events.InvalidError
	switch {
	case err == nil:
		return "none"
	case errors.Is(err, store.ErrNotFound):
		return "not found"
	case errors.Is(err, store.ErrConflict):
		return "conflict"
	case errors.As(err, &invalid):
		return "invalid"
	}
	return err.Error()
}

func (tw *twins) tenant() string { return one(tw, "", "", "other") }
func (tw *twins) eventType() string {
	return one(tw, "a.b", "a.b", "a.b", "a.c", "b.c.d", events.TypeDisabled)
}
func (tw *twins) patterns() []string {
	return one(tw, nil, nil, []string{"a.b"}, []string{"a.*"}, []string{"b.*", "a.c"}, []string{"webhook.*"},
		[]string{"a.b", events.TypeDisabled})
}

// someSub returns the ID of a subscription, which may have been deleted.
func (tw *twins) someSub() string {
	if len(tw.subs) == 0 {
		return tw.ours.newSub().ID
	}
	return one(tw, tw.subs...)
}

func (tw *twins) create() {
	const enough = 8
	sub := tw.ours.newSub(tw.patterns()...)
	if len(tw.subs) >= enough || tw.chance(8) {
		sub.ID = tw.someSub()
	}
	sub.Tenant = tw.tenant()
	sub.Secrets = []signing.Secret{signing.Secret(fmt.Sprint("key", tw.step))}
	if tw.chance(10) {
		sub.Status = store.Unsubscribed
	}
	tw.note("create %s, tenant %q, events %q, %s", sub.ID, sub.Tenant, sub.Events, sub.Status)
	got, ours := tw.ours.store.CreateSubscription(tw.ours.ctx, sub)
	want, model := tw.model.store.CreateSubscription(tw.model.ctx, sub)
	if tw.sameError("CreateSubscription", ours, model) {
		tw.sameSub("CreateSubscription", got, want)
		tw.subs = append(tw.subs, sub.ID)
	}
}

func (tw *twins) update() {
	id := tw.someSub()
	what, change := tw.change()
	tw.note("update %s: %s", id, what)
	got, ours := tw.ours.store.UpdateSubscription(tw.ours.ctx, id, change)
	want, model := tw.model.store.UpdateSubscription(tw.model.ctx, id, change)
	if tw.sameError("UpdateSubscription", ours, model) {
		tw.sameSub("UpdateSubscription", got, want)
	}
}

// change returns a random change of a subscription.
func (tw *twins) change() (what string, change func(*store.Subscription) error) {
	status := func(status store.Status, reason string) func(*store.Subscription) error {
		return func(s *store.Subscription) error { s.Status, s.DisabledReason = status, reason; return nil }
	}
	switch n, patterns := tw.step, tw.patterns(); tw.rand.IntN(8) {
	case 0:
		return "name", func(s *store.Subscription) error { s.Name = fmt.Sprint(n); return nil }
	case 1:
		return "url", func(s *store.Subscription) error { s.URL = fmt.Sprint("https://endpoint.example/", n); return nil }
	case 2:
		return fmt.Sprintf("events %q", patterns), func(s *store.Subscription) error { s.Events = patterns; return nil }
	case 3:
		return "unsubscribe", status(store.Unsubscribed, "")
	case 4:
		return "disable", status(store.Unsubscribed, "answered 410")
	case 5:
		return "an error", func(s *store.Subscription) error {
			s.Status, s.URL = store.Unsubscribed, "https://nowhere.example/"
			return store.ErrConflict
		}
	}
	return "subscribe", status(store.Subscribed, "")
}

func (tw *twins) delete() {
	id := tw.someSub()
	tw.pauseBoth(id, 0) // whether a pause outlives the subscription is the store's choice
	tw.note("delete %s", id)
	tw.orphans = true
	ours := tw.ours.store.DeleteSubscription(tw.ours.ctx, id)
	model := tw.model.store.DeleteSubscription(tw.model.ctx, id)
	tw.sameError("DeleteSubscription", ours, model)
}

// recreate deletes a subscription and creates another with its ID at once.
func (tw *twins) recreate() {
	id := tw.someSub()
	was, err := tw.model.store.Subscription(tw.model.ctx, id)
	if err != nil {
		return
	}
	tw.pauseBoth(id, 0)
	tw.note("delete %s and create it anew", id)
	tw.orphans = true
	tw.ours.must("DeleteSubscription", tw.ours.store.DeleteSubscription(tw.ours.ctx, id))
	tw.model.must("DeleteSubscription", tw.model.store.DeleteSubscription(tw.model.ctx, id))
	was.Events, was.Tenant = tw.patterns(), tw.tenant()
	tw.sameSub("CreateSubscription", tw.ours.create(was), tw.model.create(was))
}

func (tw *twins) enqueue() {
	evs := make([]events.Event, 1+tw.rand.IntN(5))
	for i := range evs {
		ev := tw.ours.event(tw.eventType())
		ev.Tenant, ev.Key, ev.Trace = tw.tenant(), one(tw, "", "", "", "k", "l"), one(tw, "", oneTrace, anotherTrace)
		if tw.chance(10) {
			ev.Time = ev.Time.Add(-365 * 24 * time.Hour)
		}
		evs[i] = ev
	}
	if tw.chance(8) {
		evs = append(evs, evs[0])
	}
	if tw.chance(15) {
		evs[len(evs)-1].Payload = nil
	}
	tw.enqueueBoth(evs)
}

// refused makes some calls in both that must be refused. One that is not shows in what the two refuse, and in what it
// changed.
func (tw *twins) refused() {
	var ours, model store.Claim
	if n := len(tw.claims); n > 0 {
		p := tw.claims[n-1]
		ours.Lease, model.Lease = p.ours, p.model
	}
	sub := store.Subscription{ID: tw.someSub()}
	calls, same := tw.ours.badCalls(sub, ours), tw.model.badCalls(sub, model)
	for range 8 {
		i := tw.rand.IntN(len(calls))
		tw.note("a call with a bad %s", calls[i].field)
		tw.sameError("a call with a bad "+calls[i].field, calls[i].do(), same[i].do())
	}
}

// enqueueKnown enqueues an event again that is stored, or one with its ID and other content.
func (tw *twins) enqueueKnown() {
	if len(tw.events) == 0 {
		return
	}
	known := tw.someEvent()
	if !tw.referred(known.ID) {
		return // whether it is still stored is the store's choice
	}
	known.Trace = one(tw, "", oneTrace, anotherTrace)
	if tw.chance(3) {
		known.Payload = json.RawMessage(`"other content"`)
	}
	fresh := tw.ours.event("a.b")
	tw.enqueueBoth(one(tw, []events.Event{fresh, known}, []events.Event{known, fresh}))
}

// someEvent returns one that was enqueued, of which there must be some; often one that was erased.
func (tw *twins) someEvent() events.Event {
	if len(tw.erased) > 0 && tw.chance(3) {
		return one(tw, tw.erased...)
	}
	return one(tw, tw.events...)
}

// referred reports whether there is a delivery of the event.
func (tw *twins) referred(eventID string) bool {
	return len(tw.model.deliveries(store.DeliveryQuery{AnyTenant: true, EventID: eventID})) > 0
}

func (tw *twins) enqueueBoth(evs []events.Event) {
	for _, ev := range evs {
		tw.note("enqueue %s %s, tenant %q, key %q, time %v, trace %q, payload %s",
			ev.ID, ev.Type, ev.Tenant, ev.Key, ev.Time, ev.Trace, ev.Payload)
	}
	ours := tw.ours.store.Enqueue(tw.ours.ctx, evs...)
	model := tw.model.store.Enqueue(tw.model.ctx, evs...)
	if tw.sameError("Enqueue", ours, model) {
		tw.events = append(tw.events, evs...)
	}
}

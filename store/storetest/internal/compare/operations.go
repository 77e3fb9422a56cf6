package compare

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
	"github.com/outhook/outhook/store/storetest/internal/rules/calls"
)

// sameError checks that both calls failed alike, or not at all, and reports whether they succeeded.
func (mp *modelPair) sameError(what string, ours, model error) bool {
	if g, w := kindOf(ours), kindOf(model); g != w {
		mp.ours.Errorf("%s: got error %v, want %v", what, ours, model)
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

func (mp *modelPair) tenant() string { return one(mp.rand, "", "", "other") }

func (mp *modelPair) eventType() string {
	return one(mp.rand, "a.b", "a.b", "a.b", "a.c", "b.c.d", events.TypeDisabled)
}

// filter returns a Filter; most subscriptions have none.
func (mp *modelPair) filter() string {
	return one(mp.rand, "", "", "", `{"n":1}`, `{"n":{"$ne":1}}`, `{"n":{"$in":[0,2]}}`, `no filter`)
}

func (mp *modelPair) patterns() []string {
	return one(mp.rand, nil, nil, []string{"a.b"}, []string{"a.*"}, []string{"b.*", "a.c"},
		[]string{"webhook.*"},
		[]string{"a.b", events.TypeDisabled})
}

// hosts names the host and port of each origin that URLs begin with.
var hosts = map[string]string{
	"https://endpoint.example/":     "endpoint",
	"https://ENDPOINT.example:443/": "endpoint",
	"https://endpoint.example:444/": "endpoint 444",
	"https://other.example/":        "other",
}

// origin returns what a URL begins with.
func (mp *modelPair) origin() string { return one(mp.rand, slices.Sorted(maps.Keys(hosts))...) }

// hostOf returns the host and port of a URL, by the name that hosts has for it.
func hostOf(url string) string { return hosts[url[:strings.LastIndexByte(url, '/')+1]] }

// someSub returns the ID of a subscription, which may have been deleted.
func (s *sequence) someSub() string {
	if len(s.subs) == 0 {
		return s.ours.NewSub().ID
	}
	return one(s.rand, s.subs...)
}

func (s *sequence) create() {
	const enough = 8
	sub := s.ours.NewSub(s.patterns()...)
	if len(s.subs) >= enough || s.chance(8) {
		sub.ID = s.someSub()
	}
	sub.Tenant = s.tenant()
	sub.URL = fmt.Sprint(s.origin(), s.step)
	sub.Secrets = []signing.Secret{signing.Secret(fmt.Sprint("key", s.step))}
	if s.chance(3) {
		check.WithSettings(&sub)
		sub.Metadata["of"] = fmt.Sprint(s.step % 3)
	}
	sub.Filter = s.filter()
	if s.chance(10) {
		sub.Status = one(s.rand, store.Unsubscribed, store.Paused, store.Unverified)
	}
	if s.chance(10) {
		sub.URL = ""
	}
	s.note("create %s at %s, tenant %q, events %q, filter %s, %s", sub.ID, sub.URL, sub.Tenant,
		sub.Events, sub.Filter, sub.Status)
	got, ours := s.ours.Store.CreateSubscription(s.ours.Ctx(), sub)
	want, model := s.model.Store.CreateSubscription(s.model.Ctx(), sub)
	if s.sameError("CreateSubscription", ours, model) {
		s.sameSub("CreateSubscription", got, want)
		s.subs = append(s.subs, sub.ID)
	}
}

func (s *sequence) update() {
	id := s.someSub()
	what, change := s.change()
	s.note("update %s: %s", id, what)
	got, ours := s.ours.Store.UpdateSubscription(s.ours.Ctx(), id, change)
	want, model := s.model.Store.UpdateSubscription(s.model.Ctx(), id, change)
	if s.sameError("UpdateSubscription", ours, model) {
		s.sameSub("UpdateSubscription", got, want)
	}
}

// change returns a random change of a subscription.
func (mp *modelPair) change() (what string, change func(*store.Subscription) error) {
	status := func(status store.Status, reason string) func(*store.Subscription) error {
		return func(s *store.Subscription) error {
			s.Status, s.DisabledReason = status, reason
			return nil
		}
	}
	origin := mp.origin()
	switch n, patterns := mp.step, mp.patterns(); mp.rand.IntN(10) {
	case 0:
		return "name", func(s *store.Subscription) error { s.Name = fmt.Sprint(n); return nil }
	case 1:
		return "url at " + origin, func(s *store.Subscription) error {
			if s.URL = fmt.Sprint(origin, n); n%5 == 0 {
				s.URL = "" // read by poll
			}
			return nil
		}
	case 2:
		return fmt.Sprintf("events %q", patterns), func(s *store.Subscription) error {
			s.Events = patterns
			return nil
		}
	case 3:
		return "unsubscribe", status(store.Unsubscribed, "")
	case 4:
		return "disable", status(store.Unsubscribed, "answered 410")
	case 5:
		held := one(mp.rand, store.Paused, store.Unverified)
		return string(held), status(held, "")
	case 6:
		return "an error", func(s *store.Subscription) error {
			s.Status, s.URL = store.Unsubscribed, "https://nowhere.example/"
			return store.ErrConflict
		}
	case 7:
		filter := mp.filter()
		return "filter " + filter, func(s *store.Subscription) error { s.Filter = filter; return nil }
	}
	return "subscribe", status(store.Subscribed, "")
}

func (s *sequence) delete() {
	id := s.someSub()
	s.pauseBoth(id, 0) // whether a pause outlives the subscription is the store's choice
	s.endLimits(id)
	s.note("delete %s", id)
	s.orphans = true
	ours := s.ours.Store.DeleteSubscription(s.ours.Ctx(), id)
	model := s.model.Store.DeleteSubscription(s.model.Ctx(), id)
	s.sameError("DeleteSubscription", ours, model)
}

// recreate deletes a subscription and creates another with its ID at once.
func (s *sequence) recreate() {
	id := s.someSub()
	was, err := s.model.Store.Subscription(s.model.Ctx(), id)
	if err != nil {
		return
	}
	s.pauseBoth(id, 0)
	s.endLimits(id)
	s.note("delete %s and create it anew", id)
	s.orphans = true
	s.ours.Must("DeleteSubscription", s.ours.Store.DeleteSubscription(s.ours.Ctx(), id))
	s.model.Must("DeleteSubscription", s.model.Store.DeleteSubscription(s.model.Ctx(), id))
	was.Events, was.Tenant = s.patterns(), s.tenant()
	s.sameSub("CreateSubscription", s.ours.Create(was), s.model.Create(was))
}

func (s *sequence) enqueue() {
	evs := make([]events.Event, 1+s.rand.IntN(5))
	tenant := s.tenant()
	for i := range evs {
		ev := s.ours.Event(s.eventType())
		if !s.shards { // otherwise a call that fails may have stored some
			tenant = s.tenant()
		}
		ev.Tenant, ev.Key, ev.Trace = tenant, one(s.rand, "", "", "", "k", "l"),
			one(s.rand, "", check.OneTrace, check.AnotherTrace)
		if s.chance(3) {
			ev.Payload = fmt.Appendf(nil, `{"n":%d}`, s.rand.IntN(3))
		}
		if s.chance(3) {
			ev.Tags = one(s.rand, []string{"a"}, []string{"b", "a"}, []string{"c", "c"})
		}
		if s.chance(10) {
			ev.Time = ev.Time.Add(-365 * 24 * time.Hour)
		}
		if s.chance(3) {
			s.shareID(&ev, evs[:i])
		}
		evs[i] = ev
	}
	if s.chance(8) {
		evs = append(evs, evs[0])
	}
	if s.chance(15) {
		evs[len(evs)-1].Payload = nil
	}
	s.enqueueBoth(evs)
}

// refused makes some calls in both that must be refused. One that is not shows in what the two
// refuse, and in what it changed.
func (s *sequence) refused() {
	var ours, model store.Claim
	if n := len(s.claims); n > 0 {
		p := s.claims[n-1]
		ours.Lease, model.Lease = p.ours, p.model
	}
	sub := store.Subscription{ID: s.someSub()}
	calls, same := calls.BadCalls(s.ours, sub, ours), calls.BadCalls(s.model, sub, model)
	for range 8 {
		i := s.rand.IntN(len(calls))
		s.note("a call with a bad %s", calls[i].Field)
		s.sameError("a call with a bad "+calls[i].Field, calls[i].Do(), same[i].Do())
	}
}

// enqueueKnown enqueues an event again that is stored, or one with its ID and other content.
func (s *sequence) enqueueKnown() {
	if len(s.events) == 0 {
		return
	}
	known := s.someEvent()
	if s.erases && !s.referred(known) {
		return // whether the ID of one that was erased is still taken is the store's choice
	}
	known.Tags = one(s.rand, nil, []string{"a"}, []string{"b"})
	known.Trace = one(s.rand, "", check.OneTrace, check.AnotherTrace)
	if s.chance(3) {
		known.Payload = json.RawMessage(`"other content"`)
	}
	fresh := s.ours.Event("a.b")
	if s.shards {
		fresh.Tenant = known.Tenant
	}
	s.enqueueBoth(one(s.rand, []events.Event{fresh, known}, []events.Event{known, fresh}))
}

// someEvent returns an event that was enqueued, often one that was erased. There must be one.
func (s *sequence) someEvent() events.Event {
	if len(s.erased) > 0 && s.chance(3) {
		return one(s.rand, s.erased...)
	}
	return one(s.rand, s.events...)
}

// referred reports whether there is a delivery of the event.
func (mp *modelPair) referred(ev events.Event) bool {
	return len(mp.model.Deliveries(store.DeliveryQuery{Tenant: ev.Tenant, EventID: ev.ID})) > 0
}

// shareID gives an event the ID of another tenant's, unless its own tenant has had an event with
// that: whether such a one is still stored is the store's choice.
func (s *sequence) shareID(ev *events.Event, beside []events.Event) {
	known := slices.Concat(s.events, beside)
	if len(known) == 0 {
		return
	}
	id := one(s.rand, known...).ID
	if !slices.ContainsFunc(known, func(k events.Event) bool {
		return k.ID == id && k.Tenant == ev.Tenant
	}) {
		ev.ID = id
	}
}

func (s *sequence) enqueueBoth(evs []events.Event) {
	for _, ev := range evs {
		s.note("enqueue %s %s, tenant %q, key %q, time %v, trace %q, payload %s",
			ev.ID, ev.Type, ev.Tenant, ev.Key, ev.Time, ev.Trace, ev.Payload)
	}
	ours := s.ours.Store.Enqueue(s.ours.Ctx(), evs...)
	model := s.model.Store.Enqueue(s.model.Ctx(), evs...)
	if s.sameError("Enqueue", ours, model) {
		s.events = append(s.events, evs...)
	}
}

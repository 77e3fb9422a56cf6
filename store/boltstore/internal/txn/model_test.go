package txn_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/boltstore/internal/txn/txntest"
)

// TestModel does random operations, each in a transaction of its own, on a store file and on plain
// maps, and compares the two. Some transactions are rolled back: of those nothing may stay, neither
// in the file nor in what one transaction leaves for the next.
func TestModel(t *testing.T) {
	for seed := range uint64(8) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			m := newModel(t, rand.New(rand.NewPCG(seed, 3)))
			for i := range 250 {
				m.step()
				if i%5 == 0 {
					m.check()
				}
				if t.Failed() {
					t.Fatalf("seed %d, step %d: %s", seed, i, m.last)
				}
			}
			m.finishPurges()
			m.check()
			m.checkEmptyBacklogs()
		})
	}
}

// deliveryName names a delivery by its IDs.
type deliveryName struct{ sub, event string }

// modelDelivery is a delivery as the model has it.
type modelDelivery struct {
	state    store.State
	attempts int
	failed   string // what went wrong in the last attempt
	reason   string // why it was canceled
}

// lastError is what a caller reads.
func (d *modelDelivery) lastError() string {
	switch d.state {
	case store.Delivered:
		return ""
	case store.Canceled:
		return d.reason
	}
	return d.failed
}

// modelEvent is an event as the model has it.
type modelEvent struct {
	events.Event
	erased bool
}

// model is a store file, and what is to be in it.
type model struct {
	t    *testing.T
	rand *rand.Rand
	file *txntest.File
	last string // the operation

	subs       map[string]store.Subscription
	deleted    []string
	events     []*modelEvent // in the order in which they were stored
	unstored   [][2]string   // tenants and IDs of events that nobody was to get
	deliveries map[deliveryName]*modelDelivery
	ids        int
}

func newModel(t *testing.T, r *rand.Rand) *model {
	m := &model{
		t: t, rand: r, file: txntest.New(t),
		subs:       make(map[string]store.Subscription),
		deliveries: make(map[deliveryName]*modelDelivery),
	}
	m.file.Settings.EraseStep = 2
	return m
}

// transact does an operation in a transaction, and then in the model. Sometimes it does it in a
// transaction that is rolled back, and then not in the model.
func (m *model) transact(do func(*txn.Tx) error, then func()) {
	m.t.Helper()
	if m.rand.IntN(5) == 0 {
		m.last += ", rolled back"
		m.file.RollBack(do)
		return
	}
	m.file.Update(do)
	then()
}

func (m *model) newID(prefix string) string {
	m.ids++
	// Not ascending, so that an ID can be below one that is stored.
	return fmt.Sprintf("%s-%d-%d", prefix, m.rand.IntN(10), m.ids)
}

// someSub returns a random subscription; ok is false if there is none.
func (m *model) someSub() (sub store.Subscription, ok bool) {
	ids := slices.Sorted(maps.Keys(m.subs))
	if len(ids) == 0 {
		return sub, false
	}
	return m.subs[ids[m.rand.IntN(len(ids))]], true
}

// someDelivery returns a random delivery in one of the states; ok is false if there is none.
func (m *model) someDelivery(states ...store.State) (n deliveryName, ok bool) {
	var names []deliveryName
	for name, d := range m.deliveries {
		if slices.Contains(states, d.state) {
			names = append(names, name)
		}
	}
	if len(names) == 0 {
		return n, false
	}
	slices.SortFunc(names, func(a, b deliveryName) int {
		if a.sub != b.sub {
			return slices.Compare([]string{a.sub}, []string{b.sub})
		}
		return slices.Compare([]string{a.event}, []string{b.event})
	})
	return names[m.rand.IntN(len(names))], true
}

func (m *model) event(tenant, id string) *modelEvent {
	for _, e := range m.events {
		if e.Tenant == tenant && e.ID == id {
			return e
		}
	}
	return nil
}

// delivery returns the delivery of an event to a subscription; nil if there is none. Tenants share
// IDs, so the name of a delivery says which event only with the tenant of its subscription.
func (m *model) delivery(sub string, e *modelEvent) *modelDelivery {
	if m.subs[sub].Tenant != e.Tenant {
		return nil
	}
	return m.deliveries[deliveryName{sub, e.ID}]
}

// isFirst reports whether a pending delivery is not blocked: it has no key, or is the first pending
// one of its key.
func (m *model) isFirst(n deliveryName) bool {
	event := m.event(m.subs[n.sub].Tenant, n.event)
	key := event.Key
	for _, e := range m.events {
		if e == event || key == "" {
			return true
		}
		d := m.delivery(n.sub, e)
		if e.Key == key && d != nil && d.state == store.Pending {
			return false
		}
	}
	return true
}

// gets reports whether a subscription is a recipient of events of a tenant and type.
func gets(sub *store.Subscription, tenant, typ string) bool {
	if sub.Tenant != tenant || sub.Status != store.Subscribed && !sub.Disabled() {
		return false
	}
	return len(sub.Events) == 0 || slices.ContainsFunc(sub.Events, func(p string) bool {
		return events.Match(p, typ)
	})
}

// check compares all that can be read with the model.
func (m *model) check() {
	m.t.Helper()
	m.file.View(func(t *txn.Tx) error {
		tenants := make(map[string]uint64)
		for id, sub := range m.subs {
			tenants[sub.Tenant]++
			num, got, _, err := t.Subs.LookUp(id)
			if err != nil || got.Status != sub.Status || got.SubscribedAt != sub.SubscribedAt {
				m.t.Errorf("subscription %s is %+v, %v, want %+v", id, got, err, sub)
			}
			if !t.Subs.Exists(num) {
				m.t.Errorf("subscription %s does not exist", id)
			}
		}
		for _, id := range m.deleted {
			if num, err := t.Subs.Number(id); num != 0 || err != nil {
				m.t.Errorf("deleted subscription %s has number %d, %v", id, num, err)
			}
		}
		for _, tenant := range []string{"a", "b"} {
			n, err := t.Subs.CountOf(&store.SubscriptionQuery{Tenant: tenant})
			if n != tenants[tenant] || err != nil {
				m.t.Errorf("tenant %s has %d subscriptions, %v, want %d", tenant, n, err,
					tenants[tenant])
			}
		}
		n, err := t.Subs.CountOf(&store.SubscriptionQuery{AnyTenant: true})
		if int(n) != len(m.subs) || err != nil {
			m.t.Errorf("there are %d subscriptions, %v, want %d", n, err, len(m.subs))
		}
		for _, name := range m.unstored {
			seq, err := t.IDs.Find(name[0], name[1])
			if (seq != 0) != (m.event(name[0], name[1]) != nil) || err != nil {
				m.t.Errorf("event %s was stored: %d, %v", name, seq, err)
			}
		}
		for _, e := range m.events {
			m.checkEvent(t, e)
		}
		return nil
	})
}

// checkEvent compares an event and its deliveries with the model.
func (m *model) checkEvent(t *txn.Tx, e *modelEvent) {
	m.t.Helper()
	seq, err := t.IDs.Find(e.Tenant, e.ID)
	if seq == 0 || err != nil {
		m.t.Errorf("event %s is not found by its ID: %v", e.ID, err)
		return
	}
	stored, err := t.Events.Get(seq)
	if err != nil || stored == nil || stored.ID != e.ID || stored.Tenant != e.Tenant ||
		stored.Erased() != e.erased {
		m.t.Errorf("event %s is %+v, %v, erased: want %v", e.ID, stored, err, e.erased)
		return
	}
	for id, sub := range m.subs {
		if sub.Tenant != e.Tenant {
			continue // it may have another event with the ID
		}
		want := m.delivery(id, e)
		num, _, row, ok, err := t.LookUp(id, e.ID)
		if err != nil || ok != (want != nil) {
			m.t.Errorf("%s of %s: found %v, %v, want %+v", e.ID, id, ok, err, want)
			continue
		}
		if !ok {
			continue
		}
		d, err := t.Delivery(num, stored, &row)
		if err != nil || d.State != want.state || d.Attempts != want.attempts ||
			d.LastError != want.lastError() || d.Erased != e.erased {
			m.t.Errorf("%s of %s is %+v, %v, want %+v", e.ID, id, d, err, *want)
		}
		if d.State == store.Pending && row.Blocked == m.isFirst(deliveryName{id, e.ID}) &&
			!m.keyIsErased(id, e.Key) {
			m.t.Errorf("%s of %s: blocked %v, key %q", e.ID, id, row.Blocked, e.Key)
		}
	}
}

// keyIsErased reports whether an erased event has the key: until the last step of its erasure, or
// of a purge, those behind it may stay blocked.
func (m *model) keyIsErased(sub, key string) bool {
	if len(m.file.Memory.Purges) > 0 {
		return key != ""
	}
	return key != "" && slices.ContainsFunc(m.events, func(e *modelEvent) bool {
		return e.erased && e.Key == key && m.delivery(sub, e) != nil
	})
}

// checkEmptyBacklogs checks the counts of what is pending, which memory goes by.
func (m *model) checkEmptyBacklogs() {
	m.t.Helper()
	m.file.View(func(t *txn.Tx) error {
		for id := range m.subs {
			num, err := t.Subs.Number(id)
			if err != nil {
				return err
			}
			b, err := t.Pending.Backlogs.Get(num)
			if err != nil {
				return err
			}
			want := -len(m.file.Memory.Implicit(num, 1<<62))
			for n, d := range m.deliveries {
				if n.sub == id && d.state == store.Pending {
					want++
				}
			}
			if b.Pending != want || len(b.Marks) > 0 {
				m.t.Errorf("the backlog of %s is %+v, want %d pending and no marks", id, *b, want)
			}
		}
		return nil
	})
}

// finishPurges takes all steps of all purges and erasures.
func (m *model) finishPurges() {
	m.t.Helper()
	m.last = "the last purges"
	for range 10_000 {
		p := m.file.Memory.NextPurge()
		if p == nil {
			break
		}
		m.file.Update(p.Step)
	}
	for _, e := range m.events {
		for done := !e.erased; !done; {
			m.file.Update(func(t *txn.Tx) (err error) {
				seq, err := t.IDs.Find(e.Tenant, e.ID)
				if err == nil {
					done, err = t.Erasures.Step(seq)
				}
				return err
			})
		}
	}
	if len(m.file.Memory.Purges) > 0 {
		m.t.Errorf("these purges have no end: %+v", m.file.Memory.Purges)
	}
}

func (m *model) now() time.Time { return m.file.Wall }

package txn_test

import (
	"errors"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

func (m *model) create() {
	m.last = "create"
	if len(m.subs) > 8 {
		return
	}
	sub := store.Subscription{
		ID: m.newID("sub"), Tenant: []string{"a", "b"}[m.rand.IntN(2)], URL: "https://example.com/",
		Status: []store.Status{store.Subscribed, store.Subscribed,
			store.Unsubscribed}[m.rand.IntN(3)],
		Events: [][]string{nil, {"message.*"}, {"message.created", "order.paid"}}[m.rand.IntN(3)],
	}
	var created store.Subscription
	m.transact(func(t *txn.Tx) (err error) {
		created, err = t.Subs.Create(sub)
		return err
	}, func() { m.subs[sub.ID] = created })
}

// update subscribes, unsubscribes or disables.
func (m *model) update() {
	m.last = "update"
	sub, ok := m.someSub()
	if !ok {
		return
	}
	var num uint64
	var was *store.Subscription
	var encoded []byte
	m.file.View(func(t *txn.Tx) (err error) {
		num, was, encoded, err = t.Subs.LookUp(sub.ID)
		return err
	})
	is := was.Clone()
	reason := ""
	if is.DisabledReason = ""; is.Status == store.Subscribed {
		is.Status, reason = store.Unsubscribed, "unsubscribed"
		if m.rand.IntN(2) == 0 {
			is.DisabledReason, reason = "gone", "gone"
		}
	} else {
		is.Status = store.Subscribed
	}
	var updated store.Subscription
	m.transact(func(t *txn.Tx) (err error) {
		updated, err = t.Subs.Update(num, was, is, encoded)
		return err
	}, func() {
		m.subs[sub.ID] = updated
		for n, d := range m.deliveries {
			if n.sub == sub.ID && d.state == store.Pending && reason != "" {
				d.state, d.reason = store.Canceled, reason
			}
		}
		_, err := m.file.TryUpdate(txn.Riders{}, func(t *txn.Tx) error {
			_, err := t.Subs.Update(num, was, is, encoded)
			return err
		})
		if !errors.Is(err, buckets.ErrChanged) {
			m.t.Errorf("an update of a former version gave %v, want %v", err, buckets.ErrChanged)
		}
	})
}

func (m *model) delete() {
	m.last = "delete"
	sub, ok := m.someSub()
	if !ok {
		return
	}
	m.transact(func(t *txn.Tx) error { return t.Subs.Delete(sub.ID) }, func() {
		delete(m.subs, sub.ID)
		m.deleted = append(m.deleted, sub.ID)
		for n := range m.deliveries {
			if n.sub == sub.ID {
				delete(m.deliveries, n)
			}
		}
	})
}

package txn

import (
	"fmt"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// Enqueue stores the events. It writes nothing before it has checked all.
func (t *Tx) Enqueue(evs []*record.Event) error {
	for i, e := range evs {
		if i == 0 || e.Tenant != evs[i-1].Tenant {
			if err := t.CheckTenant(e.Tenant); err != nil {
				return err
			}
		}
	}
	unstored, err := t.dropStored(evs)
	if err != nil {
		return err
	}
	for _, e := range unstored {
		a, err := t.Recipients.of(e.Tenant, e.Type, e.Time)
		if err != nil {
			return err
		}
		if a.Count == 0 {
			continue
		}
		if err := t.enqueueOne(e, a); err != nil {
			return err
		}
	}
	return t.IDs.flush()
}

// dropStored returns those of the events that are neither stored nor given twice. It is ErrConflict
// when one has the ID of another.
func (t *Tx) dropStored(evs []*record.Event) ([]*record.Event, error) {
	if len(evs) == 1 {
		known, err := t.isStored(evs[0])
		if known || err != nil {
			return nil, err
		}
		return evs, nil
	}
	unstored := make([]*record.Event, 0, len(evs))
	given := make(map[string]*record.Event, len(evs))
	for _, e := range evs {
		known, err := t.isStored(e)
		if err != nil {
			return nil, err
		}
		switch first := given[e.ID]; {
		case known:
		case first == nil:
			given[e.ID] = e
			unstored = append(unstored, e)
		case !first.Same(e):
			return nil, conflict(e)
		}
	}
	return unstored, nil
}

// isStored reports whether the event is stored. It is ErrConflict when its ID is another's.
func (t *Tx) isStored(e *record.Event) (bool, error) {
	if t.IDs.isHigher(e.ID) {
		return false, nil
	}
	seq, err := t.IDs.Find(e.ID)
	if seq == 0 || err != nil {
		return false, err
	}
	key := record.Key1(seq)
	stored, err := record.DecodeEvent(key[:], t.Get(BucketEvents, key[:]))
	if err != nil {
		return false, err
	}
	if !stored.Erased() && !stored.Same(e) {
		return false, conflict(e)
	}
	return true, nil
}

func conflict(e *record.Event) error { return fmt.Errorf("event %s: %w", e.ID, store.ErrConflict) }

// enqueueOne stores an event that has recipients. Its deliveries are implicit: nothing is written
// for each, but for those that do not start as pending and claimable.
func (t *Tx) enqueueOne(e *record.Event, a *Recipients) error {
	seq, err := t.nextSeq()
	if err != nil {
		return err
	}
	if e.EnqueuedAt, err = t.Events.enqueueTime(); err != nil {
		return err
	}
	key := record.Key1(seq)
	if err := t.put(BucketEvents, key[:], e.Encode(key[:], a.Packed)); err != nil {
		return err
	}
	t.IDs.note(e, seq)
	materialized, err := t.enqueueDisabled(seq, e.KeyHash(), a)
	if err != nil {
		return err
	}
	if e.Key != "" {
		blocked, err := t.enqueueKeyed(seq, e.KeyHash(), a)
		if err != nil {
			return err
		}
		materialized = append(materialized, blocked...)
		slices.Sort(materialized)
	}
	t.effects.add(t.effects.enqueued.add(EventEnqueued{seq, e, a, materialized}))
	return nil
}

// enqueueDisabled stores the deliveries that start as canceled, because their subscription is
// disabled, and returns whose they are.
func (t *Tx) enqueueDisabled(seq, keyHash uint64, a *Recipients) ([]uint64, error) {
	for _, num := range a.disabled {
		sub, err := t.Subs.Get(num)
		if err != nil {
			return nil, err
		}
		err = t.Pending.Create(pending.ID{Num: num, Seq: seq}, record.Row{
			State: store.Canceled, AsOf: seq, KeyHash: keyHash,
			FinishedAt: t.Now, Reason: sub.DisabledReason,
		})
		if err != nil {
			return nil, err
		}
	}
	return slices.Clone(a.disabled), nil
}

// enqueueKeyed notes that the event's deliveries have a key, and stores those that must wait for an
// earlier one. It returns whose they are.
func (t *Tx) enqueueKeyed(seq, keyHash uint64, a *Recipients) (nums []uint64, err error) {
	recipients, err := record.UnpackAll(a.Packed)
	if err != nil {
		return nil, err
	}
	for _, num := range recipients {
		if _, disabled := slices.BinarySearch(a.disabled, num); disabled {
			continue
		}
		id := pending.ID{Num: num, Seq: seq}
		blocked, err := t.Pending.AddKeyed(id, keyHash)
		if err != nil {
			return nil, err
		}
		if !blocked {
			continue
		}
		err = t.Pending.Create(id, record.Row{
			State: store.Pending, AsOf: seq, KeyHash: keyHash, Blocked: true,
		})
		if err != nil {
			return nil, err
		}
		nums = append(nums, num)
	}
	return nums, nil
}

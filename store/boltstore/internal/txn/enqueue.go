package txn

import (
	"errors"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/pending"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/asking"
)

// Enqueue stores the events. It writes nothing before it has checked all. It sets EnqueuedAt in
// each that it stores, and Unwanted in each that nobody wants. It returns [store.ErrConflict] if
// the ID of one is that of another event; events that are stored already, and those that nobody
// wants, are passed over.
//
// asked has for each event what filters have said of it; nil if none was asked, and they are to be
// asked here. It returns [asking.ErrUnasked] if others are to be asked first.
func (t *Tx) Enqueue(evs []*record.Event, asked []asking.Answers) error {
	// All checks come first: an operation that fails before it has written anything leaves the
	// transaction to the others that share it.
	for i, e := range evs {
		if i == 0 || e.Tenant != evs[i-1].Tenant {
			if err := t.CheckTenant(e.Tenant); err != nil {
				return err
			}
		}
	}
	unstored, err := t.IDs.DropStored(evs)
	if err != nil {
		return err
	}
	recipients, err := t.recipients(unstored, evs, asked)
	if err != nil {
		return err
	}
	for i, e := range unstored {
		a := recipients[i]
		// An event without recipients is not stored: no delivery would ever end, so nothing would
		// remove it.
		e.Unwanted = a.Count == 0 // also if it is false: the operation may run again
		if e.Unwanted {
			continue
		}
		if err := t.enqueueOne(e, a); err != nil {
			return err
		}
	}
	// Last, so that the IDs of all events of the call are written together.
	return t.IDs.Flush()
}

// recipients returns who gets each of some events. asked is for all, in the same order. All are
// looked at, also if filters of one are to be asked: those of the others then are in the same
// round.
func (t *Tx) recipients(
	evs, all []*record.Event, asked []asking.Answers,
) (sets []*buckets.RecipientSet, err error) {
	var unasked error
	sets = make([]*buckets.RecipientSet, len(evs))
	at := 0
	for i, e := range evs {
		for ; all[at] != e; at++ {
		}
		answers := &asking.Answers{Here: true}
		if asked != nil {
			answers = &asked[at]
		}
		a, err := t.Recipients.Of(e.Tenant, e.Type, e.Time)
		if err == nil {
			sets[i], err = a.Taking(e.Body, answers)
		}
		switch {
		case errors.Is(err, asking.ErrUnasked):
			unasked = err
		case err != nil:
			return nil, err
		}
	}
	return sets, unasked
}

// enqueueOne stores an event that has recipients. Its deliveries are implicit: nothing is written
// for each, but for those that do not start as pending and claimable.
func (t *Tx) enqueueOne(e *record.Event, a *buckets.RecipientSet) error {
	seq, err := t.Events.Append(e, a.Packed)
	if err != nil {
		return err
	}
	materialized, err := t.enqueueDisabled(seq, e, a)
	if err != nil {
		return err
	}
	if e.Key != "" || e.ExpiresAt != 0 || e.Waits(t.Now) {
		blocked, err := t.enqueueRows(seq, e, a)
		if err != nil {
			return err
		}
		materialized = append(materialized, blocked...)
		slices.Sort(materialized)
	}
	t.Log.AddEnqueued(effect.EventEnqueued{
		Seq: seq, Event: e, Recipients: &a.Recipients, Materialized: materialized,
	})
	return nil
}

// enqueueDisabled stores the deliveries that start as canceled, because their subscription is
// disabled, and returns whose they are.
func (t *Tx) enqueueDisabled(
	seq uint64, e *record.Event, a *buckets.RecipientSet,
) ([]uint64, error) {
	for _, num := range a.Disabled {
		sub, err := t.Subs.Get(num)
		if err != nil {
			return nil, err
		}
		// It is not listed under the key: what is not pending blocks no other.
		err = t.Pending.Create(pending.ID{Num: num, Seq: seq}, record.Row{
			State: store.Canceled, AsOf: seq, KeyHash: e.KeyHash(), Expires: e.ExpiresAt,
			FinishedAt: t.Now, Reason: sub.DisabledReason,
		})
		if err != nil {
			return nil, err
		}
	}
	return slices.Clone(a.Disabled), nil
}

// enqueueRows notes that the event's deliveries have a key, if they do, and stores those that are
// not simply due: that must wait for an earlier one of their key, or for a time, or that expire. It
// returns whose they are.
func (t *Tx) enqueueRows(
	seq uint64, e *record.Event, a *buckets.RecipientSet,
) (nums []uint64, err error) {
	recipients, err := record.UnpackAll(a.Packed)
	if err != nil {
		return nil, err
	}
	expired := e.Expired(t.Now)
	always := e.ExpiresAt != 0 || e.Waits(t.Now)
	for _, num := range recipients {
		if _, disabled := slices.BinarySearch(a.Disabled, num); disabled {
			continue
		}
		id := pending.ID{Num: num, Seq: seq}
		row := record.Row{
			State: store.Pending, AsOf: seq, KeyHash: e.KeyHash(), Expires: e.ExpiresAt,
		}
		switch {
		case expired:
			row.State, row.FinishedAt, row.Reason = store.Canceled, t.Now, store.ReasonExpired
		case e.Key != "":
			// Before Create, which takes for granted that a pending delivery is listed under its
			// key.
			if row.Blocked, err = t.Pending.AddKeyed(id, e.KeyHash()); err != nil {
				return nil, err
			}
		}
		if !row.Blocked && !always {
			continue
		}
		if !expired && e.Waits(t.Now) {
			row.SetDue(0, 0, e.NotBefore, t.Now)
		}
		if err = t.Pending.Create(id, row); err != nil {
			return nil, err
		}
		nums = append(nums, num)
	}
	return nums, nil
}

package buckets

import (
	"fmt"
	"strings"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// The index of event IDs is written behind: an event is found by its tenant and ID through
// eventIDs, or, when it is one of the few latest, by looking at those, the tail. So a commit of one
// event writes no page of the index, and one commit in many writes the IDs of many, which are
// beside each other if they ascend.
//
// The IDs of all events up to metaIndexed are in eventIDs. It moves in the transaction that writes
// them, so every transaction sees an index and a tail that belong together.

// The bounds of the tail, which a transaction that looks for an ID in vain reads.
const (
	MaxTail     = 64   // events
	MaxTailBody = 4096 // bytes in the body of an event; after a longer one, all are indexed
)

// eventIDs finds events by their IDs. It is the index and the tail as one transaction sees them.
type eventIDs struct {
	*base
	events   *eventLog
	longBody bool                   // an event that the transaction stores has a long body
	tail     map[eventName]uint64   // the events that are not indexed, once they have been read
	free     map[eventName]struct{} // of events without deliveries; the index may have them
}

// eventName is what an event is found by: an ID is its tenant's.
type eventName struct{ tenant, id string }

func nameOf(e *record.Event) eventName { return eventName{e.Tenant, e.ID} }

// key returns the key of the event in the index.
func (n eventName) key() []byte { return record.EventIDKey(n.tenant, n.id) }

// numbered is an event's name and its sequence number.
type numbered struct {
	eventName
	seq uint64
}

// Find returns the sequence number of a tenant's event with an ID, 0 if there is none.
func (x *eventIDs) Find(tenant, id string) (uint64, error) {
	// No event has such an ID, and its key could be that of another tenant's.
	if strings.IndexByte(id, 0) >= 0 {
		return 0, nil
	}
	name := eventName{tenant, id}
	// The index has all events but the latest, and one look-up costs less than reading those.
	if seq, err := x.number(EventIDs, name.key()); seq != 0 || err != nil {
		return seq, err
	}
	x.readTail()
	return x.tail[name], nil
}

// DropStored returns those of the events that are neither stored nor given twice. It is ErrConflict
// when one has the ID of another of its tenant. A host that tries a Publish again after an error
// gives events that are stored already, and must get no error for it.
func (x *eventIDs) DropStored(evs []*record.Event) ([]*record.Event, error) {
	// The usual case, and it needs no map.
	if len(evs) == 1 {
		known, err := x.isStored(evs[0])
		if known || err != nil {
			return nil, err
		}
		return evs, nil
	}
	unstored := make([]*record.Event, 0, len(evs))
	// With IDs that ascend, as those that New makes do, none is given twice, and no map is needed.
	var given map[eventName]*record.Event
	if !ascend(evs) {
		given = make(map[eventName]*record.Event, len(evs))
	}
	for _, e := range evs {
		known, err := x.isStored(e)
		if err != nil {
			return nil, err
		}
		switch first := given[nameOf(e)]; {
		case known:
		case first == nil:
			if given != nil {
				given[nameOf(e)] = e
			}
			unstored = append(unstored, e)
		case !first.Same(e):
			return nil, conflict(e)
		}
	}
	return unstored, nil
}

// ascend reports whether the IDs of events ascend, so that no two are the same.
func ascend(evs []*record.Event) bool {
	for i := 1; i < len(evs); i++ {
		if evs[i].ID <= evs[i-1].ID {
			return false
		}
	}
	return true
}

// isStored reports whether the event is stored. It is ErrConflict if its ID is another's.
func (x *eventIDs) isStored(e *record.Event) (bool, error) {
	// As a rule: it saves the look-up in the index, and reading the tail.
	if x.isHigher(e.ID) {
		return false, nil
	}
	seq, err := x.Find(e.Tenant, e.ID)
	if seq == 0 || err != nil {
		return false, err
	}
	key := record.Key1(seq)
	v := x.Get(Events, key[:])
	stored, err := record.DecodeEvent(key[:], v)
	if err != nil {
		return false, err
	}
	// Of an erased event only the ID is known to be the same: its body is gone. It counts as
	// stored, or else the erased content would come back.
	if stored.Erased() {
		return true, nil
	}
	if needed, err := x.events.Needed(seq, v, stored.KeyHash()); !needed || err != nil {
		x.setFree(nameOf(e))
		return false, err
	}
	if !stored.Same(e) {
		return false, conflict(e)
	}
	return true, nil
}

// setFree notes that an ID is of an event without deliveries, which Prune has not got to: its
// subscriptions are gone, or its tenant was in another store, which may have pruned the event
// before the tenant came back. To nobody it is stored, so it must keep none from being stored.
// Nothing is written yet: an event may follow that is a conflict.
func (x *eventIDs) setFree(n eventName) {
	if x.free == nil {
		x.free = make(map[eventName]struct{})
	}
	x.free[n] = struct{}{}
}

// conflict returns the error for an event whose ID is that of another.
func conflict(e *record.Event) error { return fmt.Errorf("event %s: %w", e.ID, store.ErrConflict) }

// isHigher reports whether an ID is higher than that of every event that is stored, of any tenant,
// as those that New makes are as a rule: such an event need not be looked for.
func (x *eventIDs) isHigher(id string) bool {
	// The bound may be too high, which costs a look-up: a transaction that was rolled back has left
	// it so. Too low, and an event would be stored twice.
	highest := &x.writer.highestID
	// Once after the store was opened. Both sources, because the latest IDs are in the tail alone.
	if *highest == "" {
		k, _ := boltfile.LastBetween(x.Bucket(EventIDs).Cursor(), nil, nil)
		x.readTail()
		*highest = record.EventIDOf(k)
		for name := range x.tail {
			*highest = max(*highest, name.id)
		}
	}
	return id > *highest
}

// note notes the ID of an event that this transaction stores.
func (x *eventIDs) note(e *record.Event, seq uint64) error {
	// The index is asked before the tail, so what it has of an earlier event must go.
	if _, ok := x.free[nameOf(e)]; ok {
		delete(x.free, nameOf(e))
		if err := x.Remove(EventIDs, nameOf(e).key()); err != nil {
			return err
		}
	}
	x.longBody = x.longBody || len(e.Body) > MaxTailBody
	// The tail is read at most once in a transaction, so what later operations of it store must be
	// added.
	if x.tail != nil {
		x.tail[nameOf(e)] = seq
	}
	x.writer.highestID = max(x.writer.highestID, e.ID)
	return nil
}

// Forget removes the ID of an event that this transaction removes, unless another has it by now:
// one that has come back with its tenant, or was published when this one had no delivery left.
func (x *eventIDs) Forget(e *record.Event, seq uint64) error {
	if has, err := x.Find(e.Tenant, e.ID); err != nil || has != seq {
		return err
	}
	// It is in one of the two, and asking in which would cost as much.
	delete(x.tail, nameOf(e))
	return x.Remove(EventIDs, nameOf(e).key())
}

// readTail reads the IDs that are not indexed, once in a transaction.
func (x *eventIDs) readTail() {
	if x.tail != nil {
		return
	}
	x.tail = make(map[eventName]uint64)
	for _, e := range x.Unindexed() {
		x.tail[e.eventName] = e.seq
	}
}

// Unindexed returns the events that are not indexed. It passes over one that can't be read, which
// would otherwise keep all others from being stored. Its ID is not known, so from then on an event
// with that ID counts as new.
func (x *eventIDs) Unindexed() []numbered {
	indexed := x.Indexed()
	// Room for about as many as there are: sequence numbers are of events, and few of marks.
	room := min(x.Bucket(Events).Sequence()-indexed, 8*MaxTail)
	found := make([]numbered, 0, room)
	key := record.Key1(indexed + 1)
	// From the first event that is not indexed: Flush keeps them few, but all are looked at when
	// the record of metaIndexed is damaged.
	c := x.Bucket(Events).Cursor()
	for k, v := c.Seek(key[:]); k != nil; k, v = c.Next() {
		if e, err := record.ViewEvent(k, v); err == nil {
			name := eventName{string(e.Tenant), string(e.ID)}
			found = append(found, numbered{name, record.KeyNumber(k, 0)})
		}
	}
	return found
}

// Indexed returns the last event up to which all are indexed. A record of it that can't be read
// says nothing: all are looked at then, once, and it is written anew.
func (x *eventIDs) Indexed() uint64 {
	n, _ := x.MetaNumber(metaIndexed)
	return n
}

// Flush writes the IDs of the latest events when they have become many, or long.
func (x *eventIDs) Flush() error {
	last := x.Bucket(Events).Sequence()
	// After a long body too: reading the tail decodes every event in it, so one long body would
	// slow down each look-up that finds nothing.
	if last-x.Indexed() <= MaxTail && !x.longBody {
		return nil
	}
	x.longBody = false
	// Including those of this transaction, which are in the bucket already.
	for _, e := range x.Unindexed() {
		if err := x.putNumber(EventIDs, e.key(), e.seq); err != nil {
			return err
		}
	}
	return x.PutMetaNumber(metaIndexed, last)
}

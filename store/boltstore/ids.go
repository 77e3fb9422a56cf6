package boltstore

import (
	"github.com/outhook/outhook/store/boltstore/internal/boltfile"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// The index of event IDs is written behind: an event is found by its ID through eventIDs, or, when it is one of the few
// latest, by looking at those, the tail. So a commit of one event writes no page of the index, and one commit in many
// writes the IDs of many, which are beside each other if they ascend.
//
// The IDs of all events up to metaIndexed are in eventIDs. It moves in the transaction that writes them, so every
// transaction sees an index and a tail that belong together.

// The bounds of the tail, which a transaction that looks for an ID in vain reads.
const (
	maxTail     = 64   // events
	maxTailBody = 4096 // bytes in the body of an event; after a longer one, all are indexed
)

// numbered is an event's ID and its sequence number.
type numbered struct {
	id  string
	seq uint64
}

// eventNumber returns the sequence number of the event with an ID, 0 when there is none.
func (t *txn) eventNumber(id string) (uint64, error) {
	if seq, err := t.number(eventIDs, []byte(id)); seq != 0 || err != nil {
		return seq, err
	}
	t.readTail()
	return t.tail[id], nil
}

// noteID notes the ID of an event that this transaction stores.
func (t *txn) noteID(e *record.Event, seq uint64) {
	t.longBody = t.longBody || len(e.Body) > maxTailBody
	if t.tail != nil {
		t.tail[e.ID] = seq
	}
	t.writer.highestID = max(t.writer.highestID, e.ID)
}

// forgetID removes the ID of an event that this transaction removes.
func (t *txn) forgetID(id string) error {
	delete(t.tail, id)
	return t.remove(eventIDs, []byte(id))
}

// isHigher reports whether an ID is higher than that of every event that is stored, as those that New makes are as a rule:
// such an event need not be looked for.
func (t *txn) isHigher(id string) bool {
	highest := &t.writer.highestID
	if *highest == "" {
		k, _ := boltfile.LastBetween(t.bucket(eventIDs).Cursor(), nil, nil)
		t.readTail()
		*highest = string(k)
		for id := range t.tail {
			*highest = max(*highest, id)
		}
	}
	return id > *highest
}

// readTail reads the IDs that are not indexed, once in a transaction.
func (t *txn) readTail() {
	if t.tail != nil {
		return
	}
	t.tail = make(map[string]uint64)
	for _, e := range t.unindexed() {
		t.tail[e.id] = e.seq
	}
}

// unindexed returns the events that are not indexed. One that can't be read is passed over, lest it keep others from
// being stored: nobody can say what its ID was, so under that ID there is none from then on.
func (t *txn) unindexed() []numbered {
	var found []numbered
	key := record.Key1(t.indexed() + 1)
	c := t.bucket(log).Cursor()
	for k, v := c.Seek(key[:]); k != nil; k, v = c.Next() {
		if e, err := record.DecodeEvent(k, v); err == nil {
			found = append(found, numbered{e.ID, record.KeyNumber(k, 0)})
		}
	}
	return found
}

// indexed returns the last event up to which all are indexed. A record of it that can't be read says nothing: all are
// looked at then, once, and it is written anew.
func (t *txn) indexed() uint64 {
	n, _ := t.metaNumber(metaIndexed)
	return n
}

// indexIDs writes the IDs of the latest events when they have become many, or long.
func (t *txn) indexIDs() error {
	last := t.bucket(log).Sequence()
	if last-t.indexed() <= maxTail && !t.longBody {
		return nil
	}
	t.longBody = false
	for _, e := range t.unindexed() {
		if err := t.putNumber(eventIDs, []byte(e.id), e.seq); err != nil {
			return err
		}
	}
	return t.putMetaNumber(metaIndexed, last)
}

package record

import "fmt"

// EventView is the head of a stored event as the file has it: its fields share memory with the
// value. A search that passes over most events reads them this way, for to copy the names of each
// costs more than to look at them, and garbage that readers make slows those who publish.
type EventView struct {
	ID, Type, Tenant, Key []byte

	Time, EnqueuedAt int64 // as in Event
	Body, Trace      []byte
}

// ViewEvent is [DecodeEvent] without copies.
func ViewEvent(key, v []byte) (EventView, error) {
	head, _, err := splitEvent(v)
	if err != nil {
		return EventView{}, err
	}
	d, err := newDecoder(key, head)
	if err != nil {
		return EventView{}, fmt.Errorf("event %d: %w", KeyNumber(key, 0), err)
	}
	w := EventView{
		ID: d.bytes(), Type: d.bytes(), Tenant: d.bytes(), Key: d.bytes(),
		Time: d.int(), EnqueuedAt: d.int(), Body: d.bytes(), Trace: d.bytes(),
	}
	return w, d.end()
}

// Copy returns the event. Its Body shares memory with the value; all else is copied.
func (w *EventView) Copy() Event {
	e := w.CopyUnnamed()
	e.Type, e.Tenant = string(w.Type), string(w.Tenant)
	return e
}

// CopyUnnamed is Copy without the Type and the Tenant, for a caller that has them: they are the
// same for many events.
func (w *EventView) CopyUnnamed() Event {
	return Event{
		ID: string(w.ID), Key: string(w.Key),
		Time: w.Time, EnqueuedAt: w.EnqueuedAt, Body: w.Body, Trace: string(w.Trace),
	}
}

// KeyHash is [Event.KeyHash].
func (w *EventView) KeyHash() uint64 { return keyHash(w.Key) }

package record

import "fmt"

// EventView is the head of a stored event as the file has it: its fields share memory with the
// value. A search that passes over most events reads them this way, for to copy the names of each
// costs more than to look at them, and garbage that readers make slows those who publish.
type EventView struct {
	ID, Type, Tenant, Key []byte

	Time, EnqueuedAt int64 // as in Event
	Body, Trace      []byte

	// Tags are encoded: see HasTag. NotBefore and ExpiresAt as in Event.
	Tags                 []byte
	NotBefore, ExpiresAt int64
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
	if len(d.b) > 0 {
		w.Tags = d.b
		for range d.count() {
			d.bytes()
		}
		w.Tags = w.Tags[:len(w.Tags)-len(d.b)]
		w.NotBefore, w.ExpiresAt = d.int(), d.int()
	}
	return w, d.end()
}

// HasTag reports whether the event has a tag. It allocates nothing.
func (w *EventView) HasTag(tag string) bool {
	d := decoder{b: w.Tags}
	for range d.count() {
		if string(d.bytes()) == tag {
			return true
		}
	}
	return false
}

// tags returns copies of the tags; nil if there are none.
func (w *EventView) tags() (tags []string) {
	d := decoder{b: w.Tags}
	for range d.count() {
		tags = append(tags, d.string())
	}
	return tags
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
		Tags: w.tags(), NotBefore: w.NotBefore, ExpiresAt: w.ExpiresAt,
	}
}

// KeyHash is [Event.KeyHash].
func (w *EventView) KeyHash() uint64 { return keyHash(w.Key) }

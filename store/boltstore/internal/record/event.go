package record

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// Event is the head of a stored event: all but its recipients. In the value the packed numbers of
// the recipients follow it, with a checksum of their own, so that claiming one delivery of ten
// thousand does not read them.
type Event struct {
	ID, Type, Tenant, Key string

	Time       int64  // when it happened, in milliseconds since 1970
	EnqueuedAt int64  // by the system's clock
	Body       []byte // the wire body, which is never empty; empty once the event is erased
	Trace      string // carried along, and given to each claim

	Tags                 []string // sorted, without repeats
	NotBefore, ExpiresAt int64    // in milliseconds since 1970; 0 if none

	Unwanted bool // nobody was to get it when it was enqueued; it is not stored
}

// NewEvent builds the record of an event that is to be enqueued. The error is an
// *events.InvalidError. EnqueuedAt is set by the transaction that stores it.
func NewEvent(ev events.Event) (*Event, error) {
	body, err := ev.Body()
	if err != nil {
		return nil, err
	}
	return &Event{
		ID: ev.ID, Type: ev.Type, Tenant: ev.Tenant, Key: ev.Key,
		Time: ev.Time.UnixMilli(),
		Body: body, Trace: ev.Trace,
		Tags:      events.SortedTags(ev.Tags),
		NotBefore: Millis(ev.NotBefore), ExpiresAt: Millis(ev.ExpiresAt),
	}, nil
}

// NewEvents builds the records of events that are to be enqueued. All or none: the error is that of
// the first event that is not valid.
func NewEvents(evs []events.Event) ([]*Event, error) {
	built := make([]*Event, len(evs))
	for i, ev := range evs {
		e, err := NewEvent(ev)
		if err != nil {
			return nil, err
		}
		built[i] = e
	}
	return built, nil
}

// Erased reports whether the content of the event was erased. No flag is needed, since the wire
// body of an event is never empty.
func (e *Event) Erased() bool { return len(e.Body) == 0 }

// Expired reports whether no attempt of the event may start any more, by the store's clock.
func (e *Event) Expired(now int64) bool {
	return e.ExpiresAt != 0 && nanos(AsMillis(e.ExpiresAt)) <= now
}

// Waits reports whether no attempt of the event may start yet.
func (e *Event) Waits(now int64) bool { return nanos(AsMillis(e.NotBefore)) > now }

// Same reports whether e and o have the same content. The trace and EnqueuedAt do not count: they
// are of the call, not of the event.
func (e *Event) Same(o *Event) bool {
	return e.ID == o.ID && e.Type == o.Type && e.Tenant == o.Tenant && e.Key == o.Key &&
		e.Time == o.Time && string(e.Body) == string(o.Body)
}

// KeyHash returns the hash by which the file knows the ordering key; 0 without a key. Events whose
// keys share a hash wait for each other, which delays them and breaks nothing.
func (e *Event) KeyHash() uint64 { return keyHash([]byte(e.Key)) }

func keyHash(orderingKey []byte) uint64 {
	if len(orderingKey) == 0 {
		return 0
	}
	h := fnv.New64a()
	h.Write(orderingKey)
	// Never 0, which stands for no key.
	return h.Sum64() | 1
}

// Encode returns the value of an event with the packed numbers of its recipients. recipients is
// copied.
//
// The length of the head comes first, outside of both checksums: a wrong one makes the head's
// checksum fail.
func (e *Event) Encode(key, recipients []byte) []byte {
	strings := len(e.ID) + len(e.Type) + len(e.Tenant) + len(e.Key) + len(e.Trace)
	for _, tag := range e.Tags {
		strings += len(tag) + 1
	}
	// Large enough for all, since a body may be long: growing would copy it.
	enc := newEncoder(headLen + strings + len(e.Body) + 64 + len(recipients))
	enc.b = append(enc.b[:0], 0, 0, 0, 0, recordVersion)
	enc.string(e.ID)
	enc.string(e.Type)
	enc.string(e.Tenant)
	enc.string(e.Key)
	enc.int(e.Time)
	enc.int(e.EnqueuedAt)
	enc.bytes(e.Body)
	enc.string(e.Trace)
	enc.window(e)
	head := enc.b[headLen:]
	binary.BigEndian.PutUint32(enc.b, uint32(len(head)+sumSize))
	enc.b = binary.BigEndian.AppendUint32(enc.b, checksum(key, head))

	start := len(enc.b)
	enc.b = append(enc.b, recordVersion)
	enc.b = append(enc.b, recipients...)
	return binary.BigEndian.AppendUint32(enc.b, checksum(key, enc.b[start:]))
}

// window writes what few events have, if this one has any of it.
func (e *encoder) window(ev *Event) {
	if len(ev.Tags) == 0 && ev.NotBefore == 0 && ev.ExpiresAt == 0 {
		return
	}
	e.uint(uint64(len(ev.Tags)))
	for _, tag := range ev.Tags {
		e.string(tag)
	}
	e.int(ev.NotBefore)
	e.int(ev.ExpiresAt)
}

// headLen is the size of the number before an event's head, which is the length of the head.
const headLen = 4

// splitEvent returns the two parts of an event's value. It checks neither, only that both are
// there.
func splitEvent(v []byte) (head, recipients []byte, err error) {
	if len(v) >= headLen {
		// Compared as uint64, so that no number that a damaged file has overflows an int.
		if n := uint64(binary.BigEndian.Uint32(v)); n <= uint64(len(v)-headLen) {
			v = v[headLen:]
			return v[:n], v[n:], nil
		}
	}
	return nil, nil, fmt.Errorf("%w: an event is too short", store.ErrCorrupt)
}

// DecodeEvent reads the head of an event. Its Body shares memory with v. All else is copied. It
// does not look at the recipients, which may be damaged.
func DecodeEvent(key, v []byte) (Event, error) {
	w, err := ViewEvent(key, v)
	if err != nil {
		return Event{}, err
	}
	return w.Copy(), nil
}

// DecodeRecipients returns the packed numbers of an event's recipients, which share memory with v.
// It does not look at the head, which may be damaged.
func DecodeRecipients(key, v []byte) ([]byte, error) {
	_, recipients, err := splitEvent(v)
	if err != nil {
		return nil, err
	}
	d, err := newDecoder(key, recipients)
	if err != nil {
		return nil, fmt.Errorf("event %d: %w", KeyNumber(key, 0), err)
	}
	return d.b, nil
}

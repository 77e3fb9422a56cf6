package boltstore

import (
	"encoding/binary"
	"fmt"
	"hash/fnv"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// event is the head of a stored event: all but for whom it is. In the file the packed numbers of its subscriptions come
// behind it, with a checksum of their own, so that claiming one delivery of ten thousand does not read them.
type event struct {
	id, typ, tenant, key string

	time     int64  // when it happened, in milliseconds since 1970
	enqueued int64  // by the system's clock
	body     []byte // the wire body; empty, which none is, when it was erased
	trace    string
}

// newEvent builds the record of an event that is to be enqueued. The error is an *events.InvalidError.
func newEvent(ev events.Event) (*event, error) {
	body, err := ev.Body()
	if err != nil {
		return nil, err
	}
	return &event{
		id: ev.ID, typ: ev.Type, tenant: ev.Tenant, key: ev.Key,
		time: ev.Time.UnixMilli(),
		body: body, trace: ev.Trace,
	}, nil
}

// newEvents builds the records of events that are to be enqueued.
func newEvents(evs []events.Event) ([]*event, error) {
	built := make([]*event, len(evs))
	for i, ev := range evs {
		e, err := newEvent(ev)
		if err != nil {
			return nil, err
		}
		built[i] = e
	}
	return built, nil
}

// erased reports whether what the event carried was erased.
func (e *event) erased() bool { return len(e.body) == 0 }

// same reports whether e and o have the same content.
func (e *event) same(o *event) bool {
	return e.id == o.id && e.typ == o.typ && e.tenant == o.tenant && e.key == o.key && e.time == o.time &&
		string(e.body) == string(o.body)
}

// keyHash returns what the ordering key is known by in the file; 0 when there is none. Keys that share a hash wait for
// each other, which harms nobody.
func (e *event) keyHash() uint64 {
	if e.key == "" {
		return 0
	}
	h := fnv.New64a()
	h.Write([]byte(e.key))
	return h.Sum64() | 1
}

// encode returns the value of an event with the packed list of its subscriptions.
func (e *event) encode(key, targets []byte) []byte {
	strings := len(e.id) + len(e.typ) + len(e.tenant) + len(e.key) + len(e.trace)
	enc := newEncoder(headLen + strings + len(e.body) + 64 + len(targets))
	enc.b = append(enc.b[:0], 0, 0, 0, 0, recordVersion)
	enc.string(e.id)
	enc.string(e.typ)
	enc.string(e.tenant)
	enc.string(e.key)
	enc.int(e.time)
	enc.int(e.enqueued)
	enc.bytes(e.body)
	enc.string(e.trace)
	head := enc.b[headLen:]
	binary.BigEndian.PutUint32(enc.b, uint32(len(head)+sumSize))
	enc.b = binary.BigEndian.AppendUint32(enc.b, checksum(key, head))

	start := len(enc.b)
	enc.b = append(enc.b, recordVersion)
	enc.b = append(enc.b, targets...)
	return binary.BigEndian.AppendUint32(enc.b, checksum(key, enc.b[start:]))
}

// headLen is the size of the number in front of an event's head: how long it is.
const headLen = 4

// splitEvent returns the two parts of an event's value.
func splitEvent(v []byte) (head, targets []byte, err error) {
	if len(v) >= headLen {
		if n := uint64(binary.BigEndian.Uint32(v)); n <= uint64(len(v)-headLen) {
			v = v[headLen:]
			return v[:n], v[n:], nil
		}
	}
	return nil, nil, fmt.Errorf("%w: an event is too short", store.ErrCorrupt)
}

// decodeEvent reads the head of an event. The body shares its memory with the record.
func decodeEvent(key, v []byte) (event, error) {
	head, _, err := splitEvent(v)
	if err != nil {
		return event{}, err
	}
	d, err := unseal(key, head)
	if err != nil {
		return event{}, fmt.Errorf("event %d: %w", number(key, 0), err)
	}
	e := event{
		id: d.string(), typ: d.string(), tenant: d.string(), key: d.string(),
		time: d.int(), enqueued: d.int(), body: d.bytes(), trace: d.string(),
	}
	return e, d.end()
}

// decodeTargets returns the packed list of an event's subscriptions, which shares its memory with the record.
func decodeTargets(key, v []byte) ([]byte, error) {
	_, targets, err := splitEvent(v)
	if err != nil {
		return nil, err
	}
	d, err := unseal(key, targets)
	if err != nil {
		return nil, fmt.Errorf("event %d: %w", number(key, 0), err)
	}
	return d.b, nil
}

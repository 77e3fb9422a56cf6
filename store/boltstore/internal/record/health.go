package record

import (
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

// EncodeHealth returns the value of a subscription's health. A subscription without a record has
// the zero one.
func EncodeHealth(key []byte, h *store.Health) []byte {
	e := newEncoder(64)
	e.bool(h.Healthy)
	e.uint(uint64(h.Failures))
	e.int(int64(h.FailingFor))
	e.int(nanos(h.LastFailureAt))
	e.uint(uint64(h.Probes))
	e.int(nanos(h.NextProbeAt))
	e.uint(uint64(h.SlowStart))
	e.int(int64(h.Latency))
	e.int(nanos(h.HeldUntil))
	e.int(int64(h.Pace))
	p := &h.Pacing
	e.uint(uint64(p.Streak))
	e.uint(uint64(p.Successes))
	e.int(nanos(p.ThrottledAt))
	e.int(int64(p.ThrottledPace))
	e.int(int64(p.Hold))
	return e.appendChecksum(key)
}

// DecodeHealth reads a health. A nil value is the zero one.
func DecodeHealth(key, v []byte) (h store.Health, err error) {
	if v == nil {
		return h, nil
	}
	d, err := newDecoder(key, v)
	if err != nil {
		return h, fmt.Errorf("health of subscription %d: %w", KeyNumber(key, 0), err)
	}
	h = store.Health{
		Healthy:       d.bool(),
		Failures:      int(d.uint()),
		FailingFor:    time.Duration(d.int()),
		LastFailureAt: AsTime(d.int()),
		Probes:        int(d.uint()),
		NextProbeAt:   AsTime(d.int()),
		SlowStart:     int(d.uint()),
		Latency:       time.Duration(d.int()),
		HeldUntil:     AsTime(d.int()),
		Pace:          time.Duration(d.int()),
		Pacing: store.Pacing{
			Streak:        int(d.uint()),
			Successes:     int(d.uint()),
			ThrottledAt:   AsTime(d.int()),
			ThrottledPace: time.Duration(d.int()),
			Hold:          time.Duration(d.int()),
		},
	}
	return h, d.end()
}

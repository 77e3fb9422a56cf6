package boltstore

import (
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule"
)

// encodeHealth returns a subscription's health as it is stored. A subscription without a record has
// the zero one.
func encodeHealth(key []byte, h *store.Health) []byte {
	e := newEncoder(64)
	e.bool(h.Healthy)
	e.uint(uint64(h.Failures))
	e.int(int64(h.FailingFor))
	e.int(schedule.Nanos(h.LastFailureAt))
	e.uint(uint64(h.Probes))
	e.int(schedule.Nanos(h.NextProbeAt))
	e.uint(uint64(h.SlowStart))
	e.int(int64(h.Latency))
	e.int(schedule.Nanos(h.HeldUntil))
	e.int(int64(h.Pace))
	p := &h.Pacing
	e.uint(uint64(p.Streak))
	e.uint(uint64(p.Successes))
	e.int(schedule.Nanos(p.ThrottledAt))
	e.int(int64(p.ThrottledPace))
	e.int(int64(p.Hold))
	return e.seal(key)
}

// decodeHealth reads a health. No value is the zero one.
func decodeHealth(key, v []byte) (h store.Health, err error) {
	if v == nil {
		return h, nil
	}
	d, err := unseal(key, v)
	if err != nil {
		return h, fmt.Errorf("health of subscription %d: %w", number(key, 0), err)
	}
	h = store.Health{
		Healthy: d.bool(), Failures: int(d.uint()), FailingFor: time.Duration(d.int()), LastFailureAt: asTime(d.int()),
		Probes: int(d.uint()), NextProbeAt: asTime(d.int()), SlowStart: int(d.uint()),
		Latency: time.Duration(d.int()), HeldUntil: asTime(d.int()), Pace: time.Duration(d.int()),
	}
	h.Pacing = store.Pacing{
		Streak: int(d.uint()), Successes: int(d.uint()), ThrottledAt: asTime(d.int()),
		ThrottledPace: time.Duration(d.int()), Hold: time.Duration(d.int()),
	}
	return h, d.end()
}

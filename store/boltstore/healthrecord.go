package boltstore

import (
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule"
)

// health is a subscription's health as it is stored. A subscription without a record has the zero one.
type health struct {
	store.Health
	failedAt int64 // when Failures last grew
}

// next returns the health after the outcome.
func (h health) next(o *store.Outcome, now int64) health {
	next := health{Health: h.Health.Next(o, asTime(now), asTime(h.failedAt))}
	switch {
	case next.Failures > h.Failures:
		next.failedAt = now
	case next.Failures > 0:
		next.failedAt = h.failedAt
	}
	return next
}

func (h health) encode(key []byte) []byte {
	e := newEncoder(32)
	e.bool(h.Healthy)
	e.uint(uint64(h.Failures))
	e.int(int64(h.FailingFor))
	e.int(h.failedAt)
	e.uint(uint64(h.Probes))
	e.int(schedule.Nanos(h.NextProbeAt))
	e.uint(uint64(h.SlowStart))
	return e.seal(key)
}

// decodeHealth reads a health. No value is the zero one.
func decodeHealth(key, v []byte) (h health, err error) {
	if v == nil {
		return h, nil
	}
	d, err := unseal(key, v)
	if err != nil {
		return h, fmt.Errorf("health of subscription %d: %w", number(key, 0), err)
	}
	h.Healthy, h.Failures, h.FailingFor, h.failedAt = d.bool(), int(d.uint()), time.Duration(d.int()), d.int()
	h.Probes, h.NextProbeAt, h.SlowStart = int(d.uint()), asTime(d.int()), int(d.uint())
	return h, d.end()
}

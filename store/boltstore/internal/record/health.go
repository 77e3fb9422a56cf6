package record

import (
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

// Health is a subscription's health. A subscription without a record has the zero Health.
type Health struct {
	store.Health
	FailedAt int64 // when Failures last grew
}

// Next returns the health after the outcome.
func (h Health) Next(o *store.Outcome, now int64) Health {
	next := Health{Health: h.Health.Next(o, AsTime(now), AsTime(h.FailedAt))}
	switch {
	case next.Failures > h.Failures:
		next.FailedAt = now
	case next.Failures > 0:
		next.FailedAt = h.FailedAt
	}
	return next
}

// Encode returns the health's value.
func (h Health) Encode(key []byte) []byte {
	e := newEncoder(32)
	e.bool(h.Healthy)
	e.uint(uint64(h.Failures))
	e.int(int64(h.FailingFor))
	e.int(h.FailedAt)
	e.uint(uint64(h.Probes))
	e.int(nanos(h.NextProbeAt))
	e.uint(uint64(h.SlowStart))
	return e.seal(key)
}

// DecodeHealth reads a health. A nil value is the zero Health.
func DecodeHealth(key, v []byte) (h Health, err error) {
	if v == nil {
		return h, nil
	}
	d, err := unseal(key, v)
	if err != nil {
		return h, fmt.Errorf("health of subscription %d: %w", KeyNumber(key, 0), err)
	}
	h.Healthy, h.Failures = d.bool(), int(d.uint())
	h.FailingFor, h.FailedAt = time.Duration(d.int()), d.int()
	h.Probes, h.NextProbeAt, h.SlowStart = int(d.uint()), AsTime(d.int()), int(d.uint())
	return h, d.end()
}

package boltstore

import (
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

// health is what attempts have said of a subscription's endpoint. A subscription without a record has the zero one.
type health struct {
	proven     bool
	failures   int
	failingFor time.Duration
	failed     int64 // when failures last grew
	holds      int
	held       int64 // when the last hold ends
	recovering int
}

// class is what subscriptions are told apart by when they take turns.
type class int

const (
	proven  class = iota
	untried       // nothing is known of them
	failing
	classes // how many there are
)

func (h *health) class() class {
	switch {
	case h.proven:
		return proven
	case h.failures == 0:
		return untried
	}
	return failing
}

// judge returns the health after the outcome.
func (h health) judge(o *store.Outcome, now int64) health {
	if o.State == store.Delivered {
		left := max(h.recovering-1, 0)
		if h.failures > 0 {
			left = min(h.failures, store.MaxRecovering)
		}
		return health{proven: true, recovering: left}
	}
	if h.failures > 0 {
		h.failingFor += min(max(time.Duration(now-h.failed), 0), store.MaxFailureGap)
	}
	h.failed = now
	h.proven, h.recovering = false, 0
	h.failures++
	if o.HoldFor > 0 {
		if h.held <= now {
			h.holds++
		}
		h.held = max(h.held, after(now, o.HoldFor))
	}
	return h
}

// record returns the health as callers see it.
func (h health) record() store.Health {
	return store.Health{
		Proven:     h.proven,
		Failures:   h.failures,
		FailingFor: h.failingFor,
		Holds:      h.holds,
		HeldUntil:  asTime(h.held),
		Recovering: h.recovering,
	}
}

// since is when the first of the failures was, as far as their gaps count; zero without any.
func (h health) since() time.Time {
	if h.failures == 0 {
		return time.Time{}
	}
	return asTime(h.failed - int64(h.failingFor))
}

func (h health) encode(key []byte) []byte {
	e := newEncoder(32)
	e.bool(h.proven)
	e.uint(uint64(h.failures))
	e.int(int64(h.failingFor))
	e.int(h.failed)
	e.uint(uint64(h.holds))
	e.int(h.held)
	e.uint(uint64(h.recovering))
	return e.seal(key)
}

// decodeHealth reads a health. No value is the zero one.
func decodeHealth(key, v []byte) (health, error) {
	if v == nil {
		return health{}, nil
	}
	d, err := unseal(key, v)
	if err != nil {
		return health{}, fmt.Errorf("health of subscription %d: %w", number(key, 0), err)
	}
	h := health{
		proven: d.bool(), failures: int(d.uint()), failingFor: time.Duration(d.int()), failed: d.int(),
		holds: int(d.uint()), held: d.int(), recovering: int(d.uint()),
	}
	return h, d.end()
}

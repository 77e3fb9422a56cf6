package pgstore

import (
	"encoding/json"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
)

// health is a row of the health table.
type health struct {
	healthy                bool
	failures, probes       int
	slowStart              int
	failingFor             int64 // microseconds
	lastFailure            *time.Time
	nextProbeAt, heldUntil *time.Time
	latency, pace          int64 // nanoseconds
	pacing                 *pacing
}

// pacing is what the health table has of a [store.Pacing].
type pacing struct {
	Streak        int           `json:"streak"`
	Successes     int           `json:"successes"`
	ThrottledAt   time.Time     `json:"throttled_at"`
	ThrottledPace time.Duration `json:"throttled_pace"` // nanoseconds, as is the hold
	Hold          time.Duration `json:"hold"`
}

// columns returns what a row of the table is scanned into.
func (h *health) columns() []any {
	return []any{
		&h.healthy, &h.failures, &h.failingFor, &h.lastFailure, &h.probes, &h.slowStart, &h.nextProbeAt,
		&h.latency, &h.heldUntil, &h.pace, &h.pacing,
	}
}

func (h *health) record() store.Health {
	out := store.Health{
		Healthy:       h.healthy,
		Failures:      h.failures,
		FailingFor:    fromMicros(h.failingFor),
		LastFailureAt: orZero(h.lastFailure),
		Probes:        h.probes,
		NextProbeAt:   orZero(h.nextProbeAt),
		SlowStart:     h.slowStart,
		Latency:       time.Duration(h.latency),
		HeldUntil:     orZero(h.heldUntil),
		Pace:          time.Duration(h.pace),
	}
	if h.pacing != nil {
		out.Pacing = store.Pacing(*h.pacing)
	}
	return out
}

// asStored returns the health as it will be read again: the database's times are microseconds.
func asStored(h store.Health) store.Health {
	h.NextProbeAt, h.HeldUntil = h.NextProbeAt.Truncate(time.Microsecond), h.HeldUntil.Truncate(time.Microsecond)
	return h
}

// healthColumns returns a health as the arguments that follow the subscription in the statements
// that store it, in the order of the table's columns.
func healthColumns(h *store.Health) [11]any {
	var learnt *string
	if h.Pacing != (store.Pacing{}) {
		p := pacing(h.Pacing)
		p.ThrottledAt = inRange(p.ThrottledAt)
		text, err := json.Marshal(p)
		if err != nil {
			panic(err) // it has numbers, and a time that text can hold
		}
		s := string(text)
		learnt = &s
	}
	return [...]any{
		h.Healthy, int32of(h.Failures), micros(h.FailingFor), orNull(h.LastFailureAt), int32of(h.Probes), int32of(h.SlowStart),
		orNull(h.NextProbeAt), int64(h.Latency), orNull(h.HeldUntil), int64(h.Pace), learnt,
	}
}

// healthRows are arguments of the statement that writes health.
type healthRows struct {
	subs                   []int64
	healthy                []bool
	failures, probes, slow []int32
	failingFor             []int64
	lastFailure            []*time.Time
	nextProbe, held        []*time.Time
	latency, pace          []int64
	pacing                 []*string
}

func (r *healthRows) add(sub int64, h *store.Health) {
	c := healthColumns(h)
	r.subs = append(r.subs, sub)
	r.healthy = append(r.healthy, c[0].(bool))
	r.failures = append(r.failures, c[1].(int32))
	r.failingFor = append(r.failingFor, c[2].(int64))
	r.lastFailure = append(r.lastFailure, c[3].(*time.Time))
	r.probes = append(r.probes, c[4].(int32))
	r.slow = append(r.slow, c[5].(int32))
	r.nextProbe = append(r.nextProbe, c[6].(*time.Time))
	r.latency = append(r.latency, c[7].(int64))
	r.held = append(r.held, c[8].(*time.Time))
	r.pace = append(r.pace, c[9].(int64))
	r.pacing = append(r.pacing, c[10].(*string))
}

func (r *healthRows) args() []any {
	return []any{
		r.subs, r.healthy, r.failures, r.failingFor, r.lastFailure, r.probes, r.slow, r.nextProbe, r.latency, r.held, r.pace,
		r.pacing,
	}
}

// readHealth reads the only row of a statement: a subscription's number and its health.
func readHealth(into *health, sub *int64) func(pgx.Rows) error {
	return func(rows pgx.Rows) error {
		_, err := pgx.ForEachRow(rows, append([]any{sub}, into.columns()...), func() error { return nil })
		return err
	}
}

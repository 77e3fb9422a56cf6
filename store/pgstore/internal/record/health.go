package record

import (
	"encoding/json"
	"time"

	"github.com/outhook/outhook/store"
)

// Health is a row of the table of health, as it is scanned. A pointer is for what may be NULL.
type Health struct {
	healthy                bool
	failures, probes       int
	slowStart              int
	failingFor             int64 // microseconds
	lastFailure            *time.Time
	nextProbeAt, heldUntil *time.Time
	latency, pace          int64 // nanoseconds
	pacing                 *pacing
}

// pacing is what the health table has of a [store.Pacing]. No statement looks into it, so it is one
// column, NULL where nothing was learnt.
type pacing struct {
	Streak        int           `json:"streak"`
	Successes     int           `json:"successes"`
	ThrottledAt   time.Time     `json:"throttled_at"`
	ThrottledPace time.Duration `json:"throttled_pace"` // nanoseconds, as is the hold
	Hold          time.Duration `json:"hold"`
}

// Columns returns what a row of the table is scanned into.
func (h *Health) Columns() []any {
	return []any{
		&h.healthy, &h.failures, &h.failingFor, &h.lastFailure, &h.probes, &h.slowStart, &h.nextProbeAt,
		&h.latency, &h.heldUntil, &h.pace, &h.pacing,
	}
}

// Record returns the health as the contract has it. Of a row that was not there it returns the zero
// health.
func (h *Health) Record() store.Health {
	out := store.Health{
		Healthy:       h.healthy,
		Failures:      h.failures,
		FailingFor:    FromMicros(h.failingFor),
		LastFailureAt: Time(h.lastFailure),
		Probes:        h.probes,
		NextProbeAt:   Time(h.nextProbeAt),
		SlowStart:     h.slowStart,
		Latency:       time.Duration(h.latency),
		HeldUntil:     Time(h.heldUntil),
		Pace:          time.Duration(h.pace),
	}
	if h.pacing != nil {
		// The conversion compiles only while both have the same fields, so none is forgotten.
		out.Pacing = store.Pacing(*h.pacing)
	}
	return out
}

// AsStored returns the health as it will be read again: the database's times are microseconds.
// Those are set to a time plus what the dispatcher or the endpoint says. The others come from the
// server's clock, which has microseconds, or are in the column of JSON with all their digits.
func AsStored(h store.Health) store.Health {
	h.NextProbeAt = h.NextProbeAt.Truncate(time.Microsecond)
	h.HeldUntil = h.HeldUntil.Truncate(time.Microsecond)
	return h
}

// HealthColumns returns a health as the arguments that follow the subscription in the statements
// that store it, in the order of the table's columns. There is one list of them for the statement
// of one row and for that of many (HealthRows).
func HealthColumns(h *store.Health) [11]any {
	var learnt *string
	if h.Pacing != (store.Pacing{}) {
		p := pacing(h.Pacing)
		// JSON has no year above 9999.
		p.ThrottledAt = InRange(p.ThrottledAt)
		text, err := json.Marshal(p)
		if err != nil {
			panic(err) // it has numbers, and a time that text can hold
		}
		s := string(text)
		learnt = &s
	}
	return [...]any{
		h.Healthy, Int32(h.Failures), Micros(h.FailingFor), TimeOrNull(h.LastFailureAt),
		Int32(h.Probes), Int32(h.SlowStart), TimeOrNull(h.NextProbeAt), int64(h.Latency),
		TimeOrNull(h.HeldUntil), int64(h.Pace), learnt,
	}
}

// HealthRows are the arguments of the statement that writes health. A slice for each column, for
// unnest: one statement, whatever their number.
type HealthRows struct {
	subs                   []int64
	healthy                []bool
	failures, probes, slow []int32
	failingFor             []int64
	lastFailure            []*time.Time
	nextProbe, held        []*time.Time
	latency, pace          []int64
	pacing                 []*string
}

// Add adds the health of a subscription. The types are those of HealthColumns; another is a panic
// in the first test that stores health.
func (r *HealthRows) Add(sub int64, h *store.Health) {
	c := HealthColumns(h)
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

// Len returns how many were added.
func (r *HealthRows) Len() int { return len(r.subs) }

// Args returns the arguments.
func (r *HealthRows) Args() []any {
	return []any{
		r.subs, r.healthy, r.failures, r.failingFor, r.lastFailure, r.probes, r.slow, r.nextProbe,
		r.latency, r.held, r.pace, r.pacing,
	}
}

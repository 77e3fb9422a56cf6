package store

import (
	"fmt"
	"slices"
	"time"

	"github.com/outhook/outhook/events"
)

// The bounds of what a store takes. Each store checks its arguments by the Validate methods and
// functions of this package before it does anything else. So a value that one store refuses, all
// refuse, by the same name. Nothing that is accepted overflows a store's clock or a database
// column.
const (
	// MaxDuration is the longest lease, delay, hold, pause, retention and attempt: 100 years. A
	// store's clock counts nanoseconds since 1970 in 64 bits, which end in 2262; now and
	// MaxDuration end well before.
	MaxDuration = 100 * 365 * 24 * time.Hour

	// MaxLimit is the largest number that a limit may be, about a thousand million: no limit in
	// practice, and small enough to be added to a position in an int of 32 bits.
	MaxLimit = 1 << 30

	// maxJitter is the largest factor of a ProbePolicy.
	maxJitter = 2

	// MaxAttempts is how many attempts of a delivery a store keeps: the newest. Their numbers stay.
	MaxAttempts = 100

	// MaxStatus is the largest HTTP status of an Attempt.
	MaxStatus = 999
)

// Times are from the year 1 to the end of the year 9999, which is what RFC 3339 can write. In
// seconds since 1970.
const (
	firstSecond = -62135596800
	lastSecond  = 253402300799
)

// Validate returns an [events.InvalidError] for the first field of r that is out of its bounds:
// lease must be positive and at most MaxDuration, max at most MaxLimit, the limits
// per_subscription, per_tenant, per_host, max_unhealthy, max_failing and breaker_threshold and the
// counts elsewhere.unhealthy and elsewhere.failing from 0 to MaxLimit, and the length of each of
// pauses from 0 to MaxDuration.
func (r *ClaimRequest) Validate() error {
	if r.Max > MaxLimit {
		return invalid("max", "is %d; give at most %d", r.Max, MaxLimit)
	}
	if r.Lease <= 0 || r.Lease > MaxDuration {
		return invalid("lease",
			"is %v; give a positive duration of at most %v, for which the claims are yours",
			r.Lease, MaxDuration)
	}
	for _, l := range [...]struct {
		field string
		limit int
	}{
		{"per_subscription", r.PerSubscription}, {"per_tenant", r.PerTenant},
		{"per_host", r.PerHost}, {"max_unhealthy", r.MaxUnhealthy},
		{"max_failing", r.MaxFailing}, {"breaker_threshold", r.BreakerThreshold},
		{"elsewhere.unhealthy", r.Elsewhere.Unhealthy},
		{"elsewhere.failing", r.Elsewhere.Failing},
	} {
		if err := validLimit(l.field, l.limit, "no limit"); err != nil {
			return err
		}
	}
	for _, p := range r.Pauses {
		if p.For < 0 || p.For > MaxDuration {
			return invalid("pauses",
				"has one of %v; give at most %v, or 0 to end a pause", p.For, MaxDuration)
		}
		if err := validLimit("pauses.limit", p.Limit, "a pause"); err != nil {
			return err
		}
	}
	return nil
}

// Validate returns an [events.InvalidError] for the first field of o that is out of its bounds, of
// those that its State makes count: state must be one of States, retry_in, throttle_for,
// probe.first and probe.max from 0 to MaxDuration, effect one of its constants, probe.threshold
// from 0 to MaxLimit, probe.jitter from 0 to 2, body_state one of its constants, body_override
// empty without a state that has one, and the Attempt valid.
func (o *Outcome) Validate() error {
	if err := validState("state", o.State); err != nil {
		return err
	}
	if o.State == Canceled {
		return nil // there is no attempt, and no retry
	}
	if o.State == Pending {
		if err := validDuration("retry_in", o.RetryIn, "to try again at once"); err != nil {
			return err
		}
	}
	if o.State != Delivered {
		if err := o.validateEffect(); err != nil {
			return err
		}
	}
	if err := o.validateBody(); err != nil {
		return err
	}
	return o.Attempt.Validate()
}

// validateEffect checks what an outcome says of the endpoint.
func (o *Outcome) validateEffect() error {
	if o.Effect < 0 || o.Effect >= effects {
		return invalid("effect", "is %d; give one of the Effect constants", o.Effect)
	}
	if o.Effect == EffectThrottled {
		if err := validDuration("throttle_for", o.ThrottleFor,
			"if the answer did not say how long"); err != nil {
			return err
		}
	}
	if err := validLimit("probe.threshold", o.Probe.Threshold, "no breaker"); err != nil {
		return err
	}
	if err := validDuration("probe.first", o.Probe.First, "for no delay"); err != nil {
		return err
	}
	if err := validDuration("probe.max", o.Probe.Max, "for no delay"); err != nil {
		return err
	}
	if j := o.Probe.Jitter; !(j >= 0 && j <= maxJitter) {
		return invalid("probe.jitter", "is %v; give a factor of at most %d, or 0 for none", j, maxJitter)
	}
	return nil
}

func (o *Outcome) validateBody() error {
	if o.BodyState >= bodyStates {
		return invalid("body_state", "is %d; give one of the constants of BodyState", o.BodyState)
	}
	if len(o.BodyOverride) > 0 && !o.BodyState.HasOverride() {
		return invalid("body_override",
			"has %d bytes that are not to be kept; give the body_state BodyOverridden with "+
				"them", len(o.BodyOverride))
	}
	return nil
}

// ValidateOutcomes returns the error of the first outcome that is not valid, and says which it is,
// counted from 0.
func ValidateOutcomes(outcomes []Outcome) error {
	for i := range outcomes {
		if err := outcomes[i].Validate(); err != nil {
			return fmt.Errorf("outcome %d: %w", i, err)
		}
	}
	return nil
}

// Validate returns an [events.InvalidError] for the first field of a that is out of its bounds:
// attempt.at must be zero or in the years 1 to 9999, attempt.duration from 0 to MaxDuration,
// attempt.status from 0 to MaxStatus, attempt.response at most MaxResponse bytes, and
// attempt.detail valid.
func (a *Attempt) Validate() error {
	if err := validTime("attempt.at", a.At); err != nil {
		return err
	}
	if err := validDuration("attempt.duration", a.Duration, "for no time at all"); err != nil {
		return err
	}
	if a.Status < 0 || a.Status > MaxStatus {
		return invalid("attempt.status",
			"is %d; give 1 to %d, or 0 when there was no answer", a.Status, MaxStatus)
	}
	if len(a.Response) > MaxResponse {
		return invalid("attempt.response",
			"has %d bytes; give the first %d at most", len(a.Response), MaxResponse)
	}
	return a.Detail.Validate()
}

// Validate returns an [events.InvalidError] for the first field of q that is out of its bounds:
// limit must be from 0 to MaxLimit, since and until zero or in the years 1 to 9999, each of states
// one of States, last_status a range from 0 to MaxStatus, tag empty or valid, and event_id not be
// given for any tenant and any subscription. The store itself checks the cursor.
func (q *DeliveryQuery) Validate() error {
	if q.EventID != "" && q.AnyTenant && q.SubscriptionID == "" {
		return invalid("event_id",
			"is given for any tenant, but tenants have IDs of their own; give its tenant or a subscription")
	}
	if q.Last && (q.SubscriptionID == "" || q.AnyTenant) {
		return invalid("last",
			"is given for any subscription; give the one that is meant, and its tenant")
	}
	if err := validLimit("limit", q.Limit, "the default"); err != nil {
		return err
	}
	if err := validTime("since", q.Since); err != nil {
		return err
	}
	if err := validTime("until", q.Until); err != nil {
		return err
	}
	for _, s := range q.States {
		if err := validState("states", s); err != nil {
			return err
		}
	}
	if q.Tag != "" {
		if err := events.ValidateTag(q.Tag); err != nil {
			return err
		}
	}
	if r := q.LastStatus; r.From < 0 || r.To > MaxStatus || r.From > r.To {
		return invalid("last_status", "is from %d to %d; give statuses from 0, which is none, to %d, "+
			"the lower one first", r.From, r.To, MaxStatus)
	}
	return nil
}

// Validate returns an [events.InvalidError] with the field "per" unless q.Per is PerMinute or
// PerHour.
func (q *FiguresQuery) Validate() error {
	if q.Per != PerMinute && q.Per != PerHour {
		return invalid("per", "is %d; use PerMinute or PerHour", q.Per)
	}
	return nil
}

// Validate returns an [events.InvalidError] with the field "limit" unless q.Limit is from 0 to
// MaxLimit.
func (q *EraseQuery) Validate() error { return validLimit("limit", q.Limit, "the default") }

// Validate returns an [events.InvalidError] for the first field of r that is out of its bounds:
// retention.delivered and retention.failed must be from 0, which is for ever, to MaxDuration.
func (r *Retention) Validate() error {
	const forEver = "to keep them for ever"
	if err := validDuration("retention.delivered", r.Delivered, forEver); err != nil {
		return err
	}
	return validDuration("retention.failed", r.Failed, forEver)
}

func validDuration(field string, d time.Duration, zero string) error {
	if d < 0 || d > MaxDuration {
		return invalid(field, "is %v; give at most %v, or 0 %s", d, MaxDuration, zero)
	}
	return nil
}

func validLimit(field string, n int, zero string) error {
	if n < 0 || n > MaxLimit {
		return invalid(field, "is %d; give 1 to %d, or 0 for %s", n, MaxLimit, zero)
	}
	return nil
}

func validTime(field string, t time.Time) error {
	if sec := t.Unix(); sec < firstSecond || sec > lastSecond {
		return invalid(field, "is %v; give a time in the years 1 to 9999", t)
	}
	return nil
}

func validState(field string, s State) error {
	if !slices.Contains(States(), s) {
		return invalid(field, "is %q; give pending, delivered, dead or canceled", s)
	}
	return nil
}

func invalid(field, format string, args ...any) error {
	return &events.InvalidError{Field: field, Reason: fmt.Sprintf(format, args...)}
}

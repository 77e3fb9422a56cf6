package store

import "time"

// ClaimRequest says how much a Claim may take. Its limits count what is leased already, by any
// caller, and are at most MaxLimit.
type ClaimRequest struct {
	// Max is how many deliveries to lease at most. If zero or less, the call leases none: it takes
	// in the pauses and says when the next delivery is due.
	Max int

	// Lease is how long the claims are the caller's. It must be positive, and at most MaxDuration.
	Lease time.Duration

	// PerSubscription is how many deliveries of one subscription may be leased at once. If zero,
	// there is no limit.
	PerSubscription int

	// PerTenant is how many deliveries of one tenant's subscriptions may be leased at once; the
	// tenant "" has no limit. If zero, none has.
	PerTenant int

	// PerHost is how many deliveries to one host and port may be leased at once, over all
	// subscriptions. If zero, there is no limit.
	PerHost int

	// MaxUnhealthy is how many deliveries may be leased at once of all subscriptions together that
	// are not of ClassHealthy: new, failing or slow. If zero, there is no limit.
	MaxUnhealthy int

	// MaxFailing is how many deliveries may be leased at once of all subscriptions together that
	// have Failures. If it is less than MaxUnhealthy, failing subscriptions leave room for new
	// ones. If zero, there is no limit.
	MaxFailing int

	// BreakerThreshold is how many Failures limit a subscription to one lease at a time. If zero,
	// no number does.
	BreakerThreshold int

	// Elsewhere is what is leased in other stores and counts against MaxUnhealthy and MaxFailing
	// like what is leased in this one. A store of several shards sets it; a dispatcher does not.
	Elsewhere Leased

	// Pauses are in force before the call leases anything. If a subscription is named twice, the
	// last one counts, and of limits the last one with a Limit.
	Pauses []Pause
}

// Leased counts leases that run, by the present health of their subscriptions.
type Leased struct {
	Unhealthy int // of subscriptions that are not of ClassHealthy, the failing ones included
	Failing   int // of subscriptions that have Failures
}

// Pause keeps a Store value from claiming deliveries of one subscription for a while, or from
// leasing more than so many at once: it is how a caller paces an endpoint. Other Store values on
// the same data go on claiming them.
//
// A pause starts when Claim is called and replaces an earlier one of the subscription. It leaves
// leases, outcomes and health as they are. It is not stored, so it ends when the store is reopened.
type Pause struct {
	SubscriptionID string        // an unknown ID is ignored
	For            time.Duration // from 0, which ends a pause, to MaxDuration

	// Limit makes it a limit if it is not zero: for so long, PerSubscription is this for the
	// subscription, whether that is more or less. A limit and a pause of one subscription do not
	// replace each other. What is leased beyond a new limit stays leased, and its end is not in
	// NextDue. At most MaxLimit.
	Limit int
}

// Lease names a delivery that its holder may attempt. Its token keeps a late holder from recording
// a failure.
type Lease struct {
	SubscriptionID string
	EventID        string

	// Token is new with every claim of the delivery. A store never gives one out twice, not even
	// after a restart where leases outlive one.
	Token uint64
}

// Claim is a leased delivery with all that an attempt needs. Its slices and maps may be shared with
// other claims: they are for reading only.
type Claim struct {
	Lease

	// Subscription and its Health are as they were when it was claimed; never nil. Claims share
	// them, and they are for reading only.
	Subscription *Subscription
	Health       *Health

	EventType  string
	Tenant     string
	Key        string    // the event's ordering key
	EventTime  time.Time // when the event happened, to the millisecond
	EnqueuedAt time.Time // when it was enqueued
	Body       []byte    // the event's wire body, the same bytes on every attempt
	Trace      string    // the event's trace
	Tags       []string  // the event's tags, sorted and without repeats
	NotBefore  time.Time // the event's, to the millisecond
	ExpiresAt  time.Time // the event's, to the millisecond

	// BodyState and BodyOverride are those of the last outcome that set them.
	BodyState    BodyState
	BodyOverride []byte

	// Attempt is the number of the attempt that this claim is for: 1 for the first.
	Attempt int

	// Retry counts the attempts since the delivery was enqueued or last requeued, without those
	// with Outcome.KeepRetry: backoff and the bound on attempts go by it.
	Retry int

	// Probe says that the breaker of the subscription is open (ClaimRequest.BreakerThreshold), and
	// that this is the one attempt that finds out whether the endpoint is back.
	Probe bool
}

// ClaimResult is what Claim returns.
type ClaimResult struct {
	Claims []Claim

	// NextDue is how long it is until a delivery may be claimed that could not be now because it is
	// not due, its subscription is held or paused, or another's lease on it still runs. It does not
	// count what the limits of the request kept back: that can be claimed as soon as a Finish or
	// Release makes room. It is NoneDue if there is nothing to wait for.
	NextDue time.Duration

	// Leased is what is leased in the store after the call, by any caller, these claims included.
	Leased Leased

	// Trouble says what kept a store that has several parts from looking at all of them. The claims
	// are good nevertheless, and the next call tries again. It is nil in a store of one part, which
	// returns an error instead.
	Trouble error
}

// NoneDue is the [ClaimResult.NextDue] of a store that has nothing to wait for.
const NoneDue = time.Duration(1<<63 - 1)

// Outcome is the result of a claim, which Finish records.
type Outcome struct {
	Lease

	// Attempt is recorded in the history. Its Number is the claim's.
	Attempt Attempt

	// State is the delivery's next state: Delivered, Dead, Pending to try again, or Canceled.
	// Canceled ends the delivery without an attempt: Attempt.Error is the reason, which becomes its
	// LastError, and the rest of Attempt is ignored.
	State State

	// RetryIn is how long it stays pending before it is due again, from 0 to MaxDuration; only with
	// Pending. A duration, so that replicas need no synchronised clocks. It does not count if the
	// outcome leaves the breaker open (Parks): then the delivery is due as soon as that closes.
	RetryIn time.Duration

	// Effect is what the attempt says of the endpoint; only with Pending and Dead. A success says
	// that it is healthy.
	Effect Effect

	// Probe says when an endpoint that is down is probed; only with Pending and Dead.
	Probe ProbePolicy

	// KeepRetry says that the attempt does not count in Claim.Retry; only with Pending.
	KeepRetry bool

	// ThrottleFor is how long the endpoint asked to be left alone, from 0, when it did not say how
	// long, to MaxDuration; only with EffectThrottled.
	ThrottleFor time.Duration

	// BodyState, unless it is BodyUndecided, replaces that of the delivery, and BodyOverride with
	// it. Later claims have them, after a Requeue too. Not with Canceled.
	BodyState BodyState

	// BodyOverride says what is sent in place of the event's body: settings by which it is made, or
	// the bytes. A store does not read it. It may be empty. Only with a state that HasOverride.
	BodyOverride []byte
}

// Effect is what an attempt that did not succeed says of the endpoint.
type Effect int

const (
	EffectDown Effect = iota // it does not work: one more failure in a row
	// it is alive and does not want this delivery: neither better nor worse
	EffectRefused
	EffectThrottled // it is alive and asks to be left alone for a while
	EffectNone      // nothing: the attempt failed before it was made
	effects
)

// BodyState says what is decided of the body that attempts of a delivery send. The dispatcher sets
// it, so that every attempt sends the same bytes even if the subscription or the host's hooks
// change. A store keeps it for each delivery, whatever becomes of that.
type BodyState uint8

const (
	BodyUndecided  BodyState = iota // the first attempt decides it; once there was one, the event's
	BodyOverridden                  // it is as BodyOverride says
	BodyUnchanged                   // it is the event's
	BodyUnsent                      // there were attempts, and none has sent it: the next decides
	bodyStates
)

// HasOverride reports whether a store keeps a BodyOverride with the state.
func (s BodyState) HasOverride() bool { return s == BodyOverridden }

// Result says what Finish did with one outcome.
type Result struct {
	// Ignored says that the outcome changed nothing: the delivery had ended, or the token was not
	// the present one and the attempt had not succeeded.
	Ignored bool

	// Before and After are the subscription's health before and after this outcome; nil if it was
	// ignored. Results share them, and they are for reading only.
	Before, After *Health
}

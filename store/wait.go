package store

// Wait is what keeps a pending delivery from being attempted.
type Wait string

const (
	// WaitDue says that it is due, and waits for its turn within the limits of Claim.
	WaitDue Wait = "due"

	// WaitUnderWay says that it is leased: an attempt is being made.
	WaitUnderWay Wait = "under_way"

	// WaitRetry says that an attempt failed, and the next one is to be later.
	WaitRetry Wait = "retry"

	// WaitNotBefore says that its event is not to be sent before a time ([events.Event.NotBefore]).
	WaitNotBefore Wait = "not_before"

	// WaitKey says that an earlier delivery of the same subscription and key has not ended.
	WaitKey Wait = "key"

	// WaitRateLimit says that Claim was told to pause the subscription ([ClaimRequest.Pauses]), as
	// a dispatcher does for the rate of its policy.
	WaitRateLimit Wait = "rate_limit"

	// WaitThrottled says that the endpoint has asked to be left alone, or takes its deliveries one
	// at a time ([Health.HeldUntil], [Health.Pace]).
	WaitThrottled Wait = "throttled"

	// WaitBreaker says that the endpoint is down: its breaker is open, and it waits for a probe to
	// succeed.
	WaitBreaker Wait = "breaker"

	// WaitPaused says that the subscription is Paused, or its tenant is being moved to another
	// store.
	WaitPaused Wait = "paused"

	// WaitUnverified says that the subscription is Unverified: its endpoint has not proved yet that
	// it wants deliveries.
	WaitUnverified Wait = "unverified"

	// WaitPoll says that the subscription has no URL: the delivery waits to be read by poll.
	WaitPoll Wait = "poll"
)

package store

import "time"

// Stats are a store's figures, or one subscription's.
type Stats struct {
	Subscriptions int // how many there are, subscribed or not

	Pending  int // deliveries that are pending, leased ones included
	InFlight int // deliveries that are leased

	// OldestPending is when the oldest pending delivery was enqueued. Zero when none is pending.
	OldestPending time.Time

	// Health is the subscription's; zero when the figures are the whole store's.
	Health Health
}

// Retention says how long finished deliveries are kept, by the store's clock, after they finished. Zero keeps for ever.
type Retention struct {
	Delivered time.Duration // deliveries that are delivered
	Failed    time.Duration // deliveries that are dead or canceled
}

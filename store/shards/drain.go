package shards

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

const (
	// drainPause is the pause of a subscription that is drained, which is renewed. It ends by itself
	// if the host does in the middle of a Move.
	drainPause = time.Minute

	// How often a subscription is asked for attempts under way: at once and then more and more
	// slowly, as most end within milliseconds and the rest takes seconds.
	drainPoll = 5 * time.Millisecond
	drainSlow = 200 * time.Millisecond
)

// drain waits until nothing of the tenant is under way, while nothing more of it is claimed and
// publishers go on. What comes in between is seen when the tenant is closed.
func (m *move) drain(ctx context.Context) error {
	ctx, cancel := context.WithTimeoutCause(ctx, drainLimit, errDrainLimit)
	defer cancel()
	m.pause(ctx, drainPause)
	// Before half of it is over: another process that shares the store has its own clock, and a
	// slow store takes a while to hear of it.
	renewed := time.Now()
	err := m.awaitLeases(ctx, func() {
		if time.Since(renewed) > drainPause/2 {
			m.pause(ctx, drainPause)
			renewed = time.Now()
		}
	})
	if err != nil && ctx.Err() != nil { // the store's error would only say that the time is over
		return context.Cause(ctx)
	}
	return err
}

var errDrainLimit = fmt.Errorf("attempts of its deliveries were still under way after %v; "+
	"try again when its endpoints answer faster", drainLimit)

// pause keeps the tenant's subscriptions from being claimed for a while, or ends that. It is a help
// only: nothing is claimed anyway once the tenant is closed.
func (m *move) pause(ctx context.Context, d time.Duration) {
	found, err := m.from.Subscriptions(ctx, store.SubscriptionQuery{Tenant: m.tenant})
	if err != nil {
		return // and what is due goes on being claimed until the tenant is closed
	}
	// A pause comes to the store with a claim. It is of nothing, so nothing is leased for it.
	pauses := make([]store.Pause, len(found.Items))
	for i := range found.Items {
		pauses[i] = store.Pause{SubscriptionID: found.Items[i].ID, For: d}
		m.claims.Changed(m.from.index, found.Items[i].ID) // what a slow shard has claimed is given back
	}
	// Not by Claims: a dispatcher's Claim may be under way, and this one is for one store.
	_, _ = m.from.Claim(ctx, store.ClaimRequest{Lease: time.Second, Pauses: pauses})
	m.from.stir() // what the end of a pause lets go on
}

// awaitLeases waits until nothing of the tenant is leased, and calls poll now and then. It looks at
// one subscription after the other: nothing new is leased, so one that has nothing stays so.
func (m *move) awaitLeases(ctx context.Context, poll func()) error {
	found, err := m.from.Subscriptions(ctx, store.SubscriptionQuery{Tenant: m.tenant})
	if err != nil {
		return m.from.wrap(err)
	}
	wait := drainPoll
	for _, sub := range found.Items {
		for {
			stats, err := m.from.Stats(ctx, sub.ID)
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return m.from.wrap(err)
			}
			if err != nil || stats.InFlight == 0 { // or it was deleted meanwhile
				break
			}
			poll()
			timer := time.NewTimer(wait)
			select {
			case <-timer.C:
			case <-ctx.Done():
				timer.Stop()
				return ctx.Err()
			}
			wait = min(2*wait, drainSlow)
		}
	}
	return nil
}

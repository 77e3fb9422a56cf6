package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// What drives the store directly, as a dispatcher whose endpoints answer at once would.

// driveBatch is how many deliveries are claimed and finished at a time.
const driveBatch = 256

// deliverDirectly claims and finishes n deliveries, and returns how many a second. It is an error
// when there are fewer.
func deliverDirectly(ctx context.Context, s *boltstore.Store, n int) (float64, error) {
	start := time.Now()
	for done := 0; done < n; {
		claims, err := s.Claim(ctx, store.ClaimRequest{Max: min(driveBatch, n-done), Lease: time.Minute})
		if err != nil {
			return 0, err
		}
		if len(claims.Claims) == 0 {
			return 0, fmt.Errorf("%d deliveries could be claimed, not %d", done, n)
		}
		outcomes := make([]store.Outcome, len(claims.Claims))
		for i, c := range claims.Claims {
			outcomes[i] = store.Outcome{
				Lease: c.Lease,
				Attempt: store.Attempt{
					Number: c.Attempt, At: time.Now(), Duration: time.Millisecond, Status: 200,
				},
				State: store.Delivered,
			}
		}
		results, err := s.Finish(ctx, outcomes...)
		if err != nil {
			return 0, err
		}
		for _, r := range results {
			if r.Ignored {
				return 0, fmt.Errorf("a delivery was given out twice")
			}
		}
		done += len(outcomes)
	}
	return float64(n) / time.Since(start).Seconds(), nil
}

// enqueueDirectly stores n events in batches, and returns how many a second.
func enqueueDirectly(ctx context.Context, s *boltstore.Store, n, batch int) (float64, error) {
	start := time.Now()
	_, err := publish(ctx, s.Enqueue, benchType, n, 1, batch)
	return float64(n) / time.Since(start).Seconds(), err
}

// pruneAll removes what is finished, and returns how long the longest step took.
func pruneAll(ctx context.Context, s *boltstore.Store) (longest time.Duration, err error) {
	for more := true; more; {
		start := time.Now()
		r := store.Retention{Delivered: time.Nanosecond, Failed: time.Nanosecond}
		if more, err = s.Prune(ctx, r); err != nil {
			return 0, err
		}
		longest = max(longest, time.Since(start))
	}
	return longest, nil
}

// fileSize returns how many MiB the file of the host has.
func (h *host) fileSize() (float64, error) {
	info, err := os.Stat(h.path)
	if err != nil {
		return 0, err
	}
	return float64(info.Size()) / (1 << 20), nil
}

// reopen closes the store and opens it again, and returns how long opening took.
func (h *host) reopen() (time.Duration, error) {
	if err := h.store.Close(); err != nil {
		return 0, err
	}
	start := time.Now()
	err := h.open(0)
	return time.Since(start), err
}

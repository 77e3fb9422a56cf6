package pgstore

import (
	"context"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/publish"
)

// Enqueue implements [store.Queue].
//
// Calls that come while others are on their way to the disk share one transaction. One that waits
// for an event of the same ID in an open transaction of the host's waits alone.
func (s *Store) Enqueue(ctx context.Context, evs ...events.Event) error {
	built, err := publish.Build(evs)
	if err != nil {
		return storeError("enqueue", err)
	}
	return s.run(ctx, "enqueue", func() error { return s.publisher.Enqueue(ctx, built) })
}

// Claim implements [store.Queue].
//
// It claims of the subscriptions whose share is this replica's. The replica takes part from its
// first Claim on. One Claim goes on at a time: another waits.
func (s *Store) Claim(ctx context.Context, req store.ClaimRequest) (store.ClaimResult, error) {
	return call(ctx, s, "claim", req.Validate(), func() (store.ClaimResult, error) {
		s.listen()
		result, err := s.claims.Claim(ctx, req)
		if len(result.Claims) > 0 {
			err = nil // what is leased must be handed out
		}
		return result, err
	})
}

// Finish implements [store.Queue].
//
// Calls that come while others are on their way to the disk share one transaction.
func (s *Store) Finish(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
	invalid := store.ValidateOutcomes(outcomes)
	return call(ctx, s, "finish", invalid, func() ([]store.Result, error) {
		return s.recorder.Finish(ctx, outcomes)
	})
}

// Release implements [store.Queue]. It writes nothing: leases are in memory.
func (s *Store) Release(ctx context.Context, leases ...store.Lease) error {
	return s.run(ctx, "release", func() error {
		s.claims.Release(leases)
		return nil
	})
}

// Ready implements [store.Queue].
func (s *Store) Ready() <-chan struct{} {
	s.listen()
	return s.replica.Notify.Ready()
}

// listen starts, at the first call, what learns of changes by other replicas, and tells them.
func (s *Store) listen() {
	s.listening.Do(func() {
		r := s.replica
		r.Background.Go(func() { r.KeepTakingNotices(s.o.PollInterval) })
		if !s.o.PollOnly {
			r.Background.Go(func() { r.Notify.Tell(r.Life) })
			r.Background.Go(func() { r.Notify.Hear(r.Life) })
		}
	})
}

package outcomes_test

import (
	"context"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func historyBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "drops attempts", Rule: "finish/attempt",
			Spoil: func(b *broken.Store) {
				b.OnAttempts = func(ctx context.Context, subscriptionID,
					eventID string) ([]store.Attempt,
					error) {
					attempts, err := b.Store.Attempts(ctx, subscriptionID, eventID)
					return attempts[max(0, len(attempts)-2):], err
				}
			}},
		{Name: "keeps every detail", Rule: "finish/details",
			Spoil: func(b *broken.Store) {
				b.OnAttempts = func(ctx context.Context, subscriptionID,
					eventID string) ([]store.Attempt,
					error) {
					attempts, err := b.Store.Attempts(ctx, subscriptionID, eventID)
					for i := range attempts {
						if attempts[i].Detail == nil {
							attempts[i].Detail = &store.AttemptDetail{Reused: true}
						}
					}
					return attempts, err
				}
			}},
		{Name: "does not say that it may probe", Rule: "ready/probe-now",
			Spoil: func(b *broken.Store) {
				b.OnProbeNow = func(ctx context.Context, ids ...string) error {
					err := b.Store.ProbeNow(ctx, ids...)
					drain(b)
					return err
				}
			}},
	}
}

package outcomes_test

import (
	"context"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func claimBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "counts a release", Rule: "release/uncounted",
			Spoil: func(b *broken.Store) {
				b.OnRelease = func(ctx context.Context, leases ...store.Lease) error {
					for _, l := range leases {
						if _, err := b.Store.Finish(ctx,
							store.Outcome{Lease: l, State: store.Pending}); err != nil {
							return err
						}
					}
					return nil
				}
			}},
		{Name: "forgets a release", Rule: "release/order",
			Spoil: func(b *broken.Store) {
				b.OnRelease = func(context.Context, ...store.Lease) error { return nil }
			}},
	}
}

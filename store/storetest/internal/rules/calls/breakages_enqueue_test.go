package calls_test

import (
	"context"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func enqueueBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "keeps a reference to the payload", Rule: "values/event",
			Spoil: func(b *broken.Store) {
				bodies := make(map[string]events.Event)
				b.OnEnqueue = func(ctx context.Context, evs ...events.Event) error {
					for _, ev := range evs {
						bodies[ev.ID] = ev
					}
					return b.Store.Enqueue(ctx, evs...)
				}
				b.OnClaim = broken.ClaimsWith(b, func(cl *store.Claim) {
					cl.Body = bodies[cl.EventID].Payload
				})
			}},
		{Name: "goes on when the context has ended", Rule: "calls/ended-context",
			Spoil: func(b *broken.Store) {
				b.OnEnqueue = func(ctx context.Context, evs ...events.Event) error {
					return b.Store.Enqueue(context.WithoutCancel(ctx), evs...)
				}
			}},
	}
}

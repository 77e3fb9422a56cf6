package history_test

import (
	"context"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func eventBreakages() []broken.Breakage {
	type event = func(context.Context, string, string) (store.StoredEvent, error)
	changed := func(change func(*store.StoredEvent)) func(b *broken.Store) {
		return func(b *broken.Store) {
			b.OnEvent = func(ctx context.Context, tenant, id string) (store.StoredEvent, error) {
				ev, err := b.Store.Event(ctx, tenant, id)
				change(&ev)
				return ev, err
			}
		}
	}
	// first returns what the first call for an event has returned.
	first := func(next event) event {
		seen := make(map[[2]string]store.StoredEvent)
		return func(ctx context.Context, tenant, id string) (store.StoredEvent, error) {
			if ev, ok := seen[[2]string{tenant, id}]; ok {
				return ev, nil
			}
			ev, err := next(ctx, tenant, id)
			if err == nil {
				seen[[2]string{tenant, id}] = ev
			}
			return ev, err
		}
	}
	return []broken.Breakage{
		{Name: "an event without its key", Rule: "event/content",
			Spoil: changed(func(ev *store.StoredEvent) { ev.Key = "" })},
		{Name: "an event without its trace", Rule: "event/content",
			Spoil: changed(func(ev *store.StoredEvent) { ev.Trace = "" })},
		{Name: "an event that happened when it was enqueued", Rule: "event/content",
			Spoil: changed(func(ev *store.StoredEvent) { ev.Time = ev.EnqueuedAt })},
		{Name: "an event whose body is shared", Rule: "event/values",
			Spoil: func(b *broken.Store) { b.OnEvent = first(b.Store.Event) }},
		{Name: "an event whose body is remembered", Rule: "event/erased",
			Spoil: func(b *broken.Store) {
				bodies := make(map[string][]byte)
				b.OnEvent = func(ctx context.Context, tenant, id string) (store.StoredEvent, error) {
					ev, err := b.Store.Event(ctx, tenant, id)
					if len(ev.Body) > 0 {
						bodies[id] = ev.Body
					}
					ev.Body = bodies[id]
					return ev, err
				}
				erase := b.Store.Erase
				b.OnErase = func(ctx context.Context, q store.EraseQuery) (int, string, error) {
					_, _ = b.OnEvent(ctx, q.Tenant, q.EventID)
					return erase(ctx, q)
				}
			}},
		{Name: "an event of another tenant", Rule: "event/tenant",
			Spoil: func(b *broken.Store) {
				b.OnEvent = func(ctx context.Context, tenant, id string) (store.StoredEvent, error) {
					if ev, err := b.Store.Event(ctx, "one", id); err == nil {
						return ev, nil
					}
					return b.Store.Event(ctx, tenant, id)
				}
			}},
		{Name: "an event that is not there is empty", Rule: "event/not-found",
			Spoil: func(b *broken.Store) {
				b.OnEvent = func(ctx context.Context, tenant, id string) (store.StoredEvent, error) {
					ev, err := b.Store.Event(ctx, tenant, id)
					if id == "" {
						return ev, nil
					}
					return ev, err
				}
			}},
		{Name: "an event that outlives Prune", Rule: "event/pruned",
			Spoil: func(b *broken.Store) { outlive(b) }},
		{Name: "an event that outlives its subscriptions", Rule: "event/deleted",
			Spoil: func(b *broken.Store) { outlive(b) }},
	}
}

// outlive has a store find events that it has no more.
func outlive(b *broken.Store) {
	b.OnEvent = func(ctx context.Context, tenant, id string) (store.StoredEvent, error) {
		ev, err := b.Store.Event(ctx, tenant, id)
		if err != nil && id != "" {
			return store.StoredEvent{ID: id, Tenant: tenant}, nil
		}
		return ev, err
	}
}

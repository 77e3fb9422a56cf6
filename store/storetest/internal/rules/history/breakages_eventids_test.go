package history_test

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

// owners has the tenants that have enqueued an event with an ID.
type owners map[string][]string

// note notes the owners of events.
func (o owners) note(evs []events.Event) {
	for _, ev := range evs {
		if !slices.Contains(o[ev.ID], ev.Tenant) {
			o[ev.ID] = append(o[ev.ID], ev.Tenant)
		}
	}
}

// others returns the tenants beside one that have an event with an ID.
func (o owners) others(tenant, id string) []string {
	return slices.DeleteFunc(slices.Clone(o[id]), func(t string) bool { return t == tenant })
}

// watch notes the owners of what is enqueued.
func (o owners) watch(b *broken.Store) {
	b.OnEnqueue = func(ctx context.Context, evs ...events.Event) error {
		err := b.Store.Enqueue(ctx, evs...)
		if err == nil {
			o.note(evs)
		}
		return err
	}
}

func taken(id string) error { return fmt.Errorf("event %s: %w", id, store.ErrConflict) }

func eventIDBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "takes the IDs of a call for one tenant's", Rule: "event-ids/one-call",
			Spoil: func(b *broken.Store) {
				b.OnEnqueue = func(ctx context.Context, evs ...events.Event) error {
					in := owners{}
					in.note(evs)
					for _, ev := range evs {
						if len(in[ev.ID]) > 1 {
							return taken(ev.ID)
						}
					}
					return b.Store.Enqueue(ctx, evs...)
				}
			}},
		{Name: "has one namespace of IDs", Rule: "event-ids/two-calls",
			Spoil: func(b *broken.Store) {
				o := owners{}
				b.OnEnqueue = func(ctx context.Context, evs ...events.Event) error {
					for _, ev := range evs {
						if len(o.others(ev.Tenant, ev.ID)) > 0 {
							return taken(ev.ID)
						}
					}
					err := b.Store.Enqueue(ctx, evs...)
					if err == nil {
						o.note(evs)
					}
					return err
				}
			}},
		{Name: "takes another tenant's event for the same", Rule: "event-ids/two-calls",
			Spoil: func(b *broken.Store) {
				o := owners{}
				b.OnEnqueue = func(ctx context.Context, evs ...events.Event) error {
					evs = slices.DeleteFunc(slices.Clone(evs), func(ev events.Event) bool {
						return len(o.others(ev.Tenant, ev.ID)) > 0
					})
					err := b.Store.Enqueue(ctx, evs...)
					if err == nil {
						o.note(evs)
					}
					return err
				}
			}},
		{Name: "sees no conflict where another tenant has the ID", Rule: "event-ids/conflict",
			Spoil: func(b *broken.Store) {
				o := owners{}
				b.OnEnqueue = func(ctx context.Context, evs ...events.Event) error {
					err := b.Store.Enqueue(ctx, evs...)
					if errors.Is(err, store.ErrConflict) && slices.ContainsFunc(evs,
						func(ev events.Event) bool { return len(o.others(ev.Tenant, ev.ID)) > 0 }) {
						return nil
					}
					if err == nil {
						o.note(evs)
					}
					return err
				}
			}},
		{Name: "lists an ID for every tenant", Rule: "event-ids/reads",
			Spoil: func(b *broken.Store) {
				o := owners{}
				o.watch(b)
				b.OnDeliveries = func(ctx context.Context,
					q store.DeliveryQuery) (store.Page[store.Delivery], error) {
					page, err := b.Store.Deliveries(ctx, q)
					if q.EventID == "" || q.AnyTenant || q.Cursor != "" || err != nil {
						return page, err
					}
					for _, q.Tenant = range o.others(q.Tenant, q.EventID) {
						more, err := b.Store.Deliveries(ctx, q)
						if err != nil {
							return more, err
						}
						page.Items = append(page.Items, more.Items...)
					}
					return page, nil
				}
			}},
		{Name: "lists an ID without a tenant", Rule: "event-ids/any-tenant",
			Spoil: func(b *broken.Store) {
				b.OnDeliveries = func(ctx context.Context,
					q store.DeliveryQuery) (store.Page[store.Delivery], error) {
					if q.SubscriptionID == "" && q.AnyTenant {
						q.EventID = ""
					}
					return b.Store.Deliveries(ctx, q)
				}
			}},
		{Name: "finds the first tenant's event for a late outcome", Rule: "event-ids/finish",
			Spoil: func(b *broken.Store) {
				var tokens broken.Tokens
				tokens.Watch(b)
				o := owners{}
				o.watch(b)
				b.OnFinish = func(ctx context.Context,
					outcomes ...store.Outcome) ([]store.Result, error) {
					outcomes = slices.Clone(outcomes)
					for i, out := range outcomes {
						sub, err := b.Store.Subscription(ctx, out.SubscriptionID)
						late := out.Token != tokens.Of(out.Lease)
						if err == nil && late && len(o.others(sub.Tenant, out.EventID)) > 0 {
							outcomes[i].EventID = "another-tenant-has-it"
						}
					}
					return b.Store.Finish(ctx, outcomes...)
				}
			}},
		{Name: "requeues an ID for every tenant", Rule: "event-ids/requeue",
			Spoil: func(b *broken.Store) {
				o := owners{}
				o.watch(b)
				b.OnRequeue = func(ctx context.Context,
					q store.DeliveryQuery) (store.RequeueResult, error) {
					r, err := b.Store.Requeue(ctx, q)
					if q.EventID == "" || q.AnyTenant || q.Cursor != "" || err != nil {
						return r, err
					}
					for _, q.Tenant = range o.others(q.Tenant, q.EventID) {
						if _, err := b.Store.Requeue(ctx, q); err != nil {
							return r, err
						}
					}
					return r, nil
				}
			}},
		{Name: "erases an ID for every tenant", Rule: "event-ids/erase",
			Spoil: func(b *broken.Store) {
				o := owners{}
				o.watch(b)
				b.OnErase = func(ctx context.Context, q store.EraseQuery) (int, string, error) {
					n, next, err := b.Store.Erase(ctx, q)
					if q.EventID == "" || err != nil {
						return n, next, err
					}
					for _, q.Tenant = range o.others(q.Tenant, q.EventID) {
						if _, _, err := b.Store.Erase(ctx, q); err != nil &&
							!errors.Is(err, store.ErrNotFound) {
							return n, next, err
						}
					}
					return n, next, nil
				}
			}},
		{Name: "keeps an erased ID from every tenant", Rule: "event-ids/erased",
			Spoil: func(b *broken.Store) {
				er := erased{}
				er.watch(b)
				b.OnEnqueue = func(ctx context.Context, evs ...events.Event) error {
					evs = slices.DeleteFunc(slices.Clone(evs),
						func(ev events.Event) bool { return er[ev.ID] })
					return b.Store.Enqueue(ctx, evs...)
				}
			}},
		{Name: "keeps an ID until Prune", Rule: "event-ids/free",
			Spoil: func(b *broken.Store) {
				o, deleted := owners{}, false
				b.OnDelete = func(ctx context.Context, id string) error {
					deleted = true
					return b.Store.DeleteSubscription(ctx, id)
				}
				b.OnEnqueue = func(ctx context.Context, evs ...events.Event) error {
					for _, ev := range evs {
						if deleted && slices.Contains(o[ev.ID], ev.Tenant) {
							return taken(ev.ID)
						}
					}
					o.note(evs)
					return b.Store.Enqueue(ctx, evs...)
				}
			}},
		{Name: "takes an event without deliveries for stored", Rule: "event-ids/free",
			Spoil: func(b *broken.Store) {
				o, deleted := owners{}, false
				b.OnDelete = func(ctx context.Context, id string) error {
					deleted = true
					return b.Store.DeleteSubscription(ctx, id)
				}
				b.OnEnqueue = func(ctx context.Context, evs ...events.Event) error {
					evs = slices.DeleteFunc(slices.Clone(evs), func(ev events.Event) bool {
						return deleted && slices.Contains(o[ev.ID], ev.Tenant)
					})
					o.note(evs)
					return b.Store.Enqueue(ctx, evs...)
				}
			}},
		{Name: "frees a pruned ID for every tenant", Rule: "event-ids/prune",
			Spoil: func(b *broken.Store) {
				pruned := false
				b.OnPrune = func(ctx context.Context, r store.Retention) (bool, error) {
					pruned = true
					return b.Store.Prune(ctx, r)
				}
				b.OnEnqueue = func(ctx context.Context, evs ...events.Event) error {
					err := b.Store.Enqueue(ctx, evs...)
					if errors.Is(err, store.ErrConflict) && pruned {
						return nil
					}
					return err
				}
			}},
	}
}

package history_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func eraseBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "erases nothing", Rule: "erase/pending",
			Spoil: func(b *broken.Store) {
				b.OnErase = func(ctx context.Context, q store.EraseQuery) (int, string, error) {
					page, err := b.Store.Deliveries(ctx,
						store.DeliveryQuery{EventID: q.EventID, Tenant: q.Tenant})
					return len(page.Items), "", err
				}
			}},
		{Name: "keeps responses", Rule: "erase/responses",
			Spoil: func(b *broken.Store) {
				keepResponses(b, func(store.Outcome) bool { return true })
			}},
		{Name: "keeps the response of a late success", Rule: "erase/leases",
			Spoil: func(b *broken.Store) {
				er := erased{}
				er.watch(b)
				keepResponses(b, func(o store.Outcome) bool { return er[o.EventID] })
			}},
		{Name: "does not say which are of erased events", Rule: "erase/says-so",
			Spoil: func(b *broken.Store) {
				b.OnDeliveries = func(ctx context.Context,
					q store.DeliveryQuery) (store.Page[store.Delivery], error) {
					page, err := b.Store.Deliveries(ctx, q)
					for i := range page.Items {
						page.Items[i].Erased = false
					}
					return page, err
				}
			}},
		{Name: "does not say why it canceled", Rule: "erase/pending",
			Spoil: func(b *broken.Store) {
				b.OnDeliveries = func(ctx context.Context,
					q store.DeliveryQuery) (store.Page[store.Delivery], error) {
					page, err := b.Store.Deliveries(ctx, q)
					for i := range page.Items {
						if page.Items[i].LastError == "erased" {
							page.Items[i].LastError = ""
						}
					}
					return page, err
				}
			}},
		{Name: "takes failures of what was erased", Rule: "erase/leases",
			Spoil: func(b *broken.Store) {
				er := erased{}
				er.watch(b)
				b.OnFinish = broken.ResultsWith(b, func(o store.Outcome, r *store.Result) {
					if er[o.EventID] {
						r.Ignored = false
					}
				})
			}},
		{Name: "counts erased ones as requeued", Rule: "erase/requeue",
			Spoil: func(b *broken.Store) {
				er := erased{}
				er.watch(b)
				b.OnRequeue = func(ctx context.Context, q store.DeliveryQuery) (store.RequeueResult,
					error) {
					page, _ := b.Store.Deliveries(ctx, q)
					r, err := b.Store.Requeue(ctx, q)
					for _, d := range page.Items {
						if er[d.EventID] {
							r.Requeued++
						}
					}
					return r, err
				}
			}},
		{Name: "remembers erased content", Rule: "erase/enqueue",
			Spoil: func(b *broken.Store) {
				er, content := erased{}, make(map[string]string)
				er.watch(b)
				b.OnEnqueue = func(ctx context.Context, evs ...events.Event) error {
					for _, ev := range evs {
						if er[ev.ID] && content[ev.ID] != string(ev.Payload) {
							return fmt.Errorf("event %s: %w", ev.ID, store.ErrConflict)
						}
					}
					err := b.Store.Enqueue(ctx, evs...)
					for _, ev := range evs {
						if err == nil && !er[ev.ID] {
							content[ev.ID] = string(ev.Payload)
						}
					}
					return err
				}
			}},
		{Name: "takes an erased event for a new one", Rule: "erase/enqueue",
			Spoil: func(b *broken.Store) {
				er := erased{}
				er.watch(b)
				b.OnEnqueue = broken.EventsWith(b, func(ev *events.Event) {
					if er[ev.ID] {
						ev.ID += "-again"
					}
				})
			}},
		{Name: "counts what was erased already", Rule: "erase/again",
			Spoil: func(b *broken.Store) {
				b.OnErase = func(ctx context.Context, q store.EraseQuery) (int, string, error) {
					n, next, err := b.Store.Erase(ctx, q)
					if err == nil && q.EventID != "" {
						n = 1
					}
					return n, next, err
				}
			}},
		{Name: "erases events that are not there", Rule: "erase/not-found",
			Spoil: func(b *broken.Store) {
				b.OnErase = func(ctx context.Context, q store.EraseQuery) (int, string, error) {
					n, next, err := b.Store.Erase(ctx, q)
					if errors.Is(err, store.ErrNotFound) {
						err = nil
					}
					return n, next, err
				}
			}},
		{Name: "erases another tenant's", Rule: "erase/tenant",
			Spoil: func(b *broken.Store) {
				b.OnErase = func(ctx context.Context, q store.EraseQuery) (int, string, error) {
					n, next, err := b.Store.Erase(ctx, q)
					if err == nil && q.EventID == "" {
						_, _, err = b.Store.Erase(ctx, store.EraseQuery{})
					}
					return n, next, err
				}
			}},
		{Name: "erases all in one step", Rule: "erase/steps",
			Spoil: func(b *broken.Store) {
				b.OnErase = func(ctx context.Context, q store.EraseQuery) (int, string, error) {
					q.Limit = 0
					return b.Store.Erase(ctx, q)
				}
			}},
		{Name: "goes round in erasing", Rule: "erase/steps",
			Spoil: func(b *broken.Store) {
				b.OnErase = func(ctx context.Context, q store.EraseQuery) (int, string, error) {
					q.Cursor = ""
					return b.Store.Erase(ctx, q)
				}
			}},
	}
}

// erased knows what was erased.
type erased map[string]bool // by event ID

// watch makes erased see what b erases.
func (er erased) watch(b *broken.Store) {
	b.OnErase = func(ctx context.Context, q store.EraseQuery) (int, string, error) {
		n, next, err := b.Store.Erase(ctx, q)
		page, _ := b.Store.Deliveries(ctx, store.DeliveryQuery{AnyTenant: true, Limit: 1000})
		for _, d := range page.Items {
			if err == nil &&
				(d.EventID == q.EventID || q.EventID == "" && d.Tenant == q.Tenant && next == "") {
				er[d.EventID] = true
			}
		}
		return n, next, err
	}
}

// keepResponses makes b's attempts have the responses of those outcomes that keeps says yes to,
// whatever is erased.
func keepResponses(b *broken.Store, keeps func(store.Outcome) bool) {
	type attempt struct {
		subscriptionID, eventID string
		number                  int
	}
	kept := make(map[attempt][]byte)
	b.OnFinish = broken.ResultsWith(b, func(o store.Outcome, r *store.Result) {
		recorded, _ := b.Store.Attempts(context.Background(), o.SubscriptionID, o.EventID)
		if !r.Ignored && o.State != store.Canceled && keeps(o) {
			kept[attempt{o.SubscriptionID, o.EventID, len(recorded)}] = o.Attempt.Response
		}
	})
	b.OnAttempts = func(ctx context.Context, subscriptionID, eventID string) ([]store.Attempt,
		error) {
		attempts, err := b.Store.Attempts(ctx, subscriptionID, eventID)
		for i, a := range attempts {
			if response := kept[attempt{subscriptionID, eventID, a.Number}]; response != nil {
				attempts[i].Response = response
			}
		}
		return attempts, err
	}
}

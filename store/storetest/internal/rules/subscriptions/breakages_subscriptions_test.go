package subscriptions_test

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func subscriptionsBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "forgets what seals a subscription", Rule: "subscriptions/sealed-with",
			Spoil: func(b *broken.Store) {
				b.OnUpdate = func(
					ctx context.Context, id string, change func(*store.Subscription) error,
				) (store.Subscription, error) {
					return b.Store.UpdateSubscription(ctx, id, func(s *store.Subscription) error {
						defer func() { s.SealedWith = "" }()
						return change(s)
					})
				}
			}},
		{Name: "claims as if nothing was sealed", Rule: "subscriptions/sealed-with",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.ClaimsWith(b, func(cl *store.Claim) {
					sub := *cl.Subscription
					sub.SealedWith, cl.Subscription = "", &sub
				})
			}},
		{Name: "drops the metadata", Rule: "subscriptions/settings",
			Spoil: func(b *broken.Store) {
				b.OnCreate = func(ctx context.Context, sub store.Subscription) (store.Subscription,
					error) {
					sub.Metadata = nil
					return b.Store.CreateSubscription(ctx, sub)
				}
			}},
		{Name: "claims without the settings", Rule: "subscriptions/settings",
			Spoil: func(b *broken.Store) {
				b.OnClaim = broken.ClaimsWith(b, func(cl *store.Claim) {
					sub := *cl.Subscription
					sub.Filter, sub.Rate, cl.Subscription = "", 0, &sub
				})
			}},
		{Name: "replaces what exists", Rule: "subscriptions/create-conflict",
			Spoil: func(b *broken.Store) {
				b.OnCreate = func(ctx context.Context, sub store.Subscription) (store.Subscription,
					error) {
					_ = b.Store.DeleteSubscription(ctx, sub.ID)
					return b.Store.CreateSubscription(ctx, sub)
				}
			}},
		{Name: "says when it changed to the minute", Rule: "subscriptions/update-again",
			Spoil: func(b *broken.Store) {
				b.OnUpdate = func(
					ctx context.Context, id string, change func(*store.Subscription) error,
				) (store.Subscription, error) {
					sub, err := b.Store.UpdateSubscription(ctx, id, change)
					sub.UpdatedAt = sub.UpdatedAt.Truncate(time.Minute)
					return sub, err
				}
			}},
		{Name: "cancels nothing", Rule: "unsubscribe/cancels",
			Spoil: func(b *broken.Store) {
				b.OnUpdate = func(
					ctx context.Context, id string, change func(*store.Subscription) error,
				) (store.Subscription, error) {
					var status store.Status
					sub, err := b.Store.UpdateSubscription(ctx, id,
						func(s *store.Subscription) error {
							err := change(s)
							status, s.Status = s.Status, store.Subscribed
							return err
						})
					sub.Status = status
					return sub, err
				}
			}},
		{Name: "goes on with what is paused", Rule: "paused/collects",
			Spoil: func(b *broken.Store) { b.OnUpdate = pausesAs(b, store.Subscribed) }},
		{Name: "cancels what is paused", Rule: "paused/collects",
			Spoil: func(b *broken.Store) { b.OnUpdate = pausesAs(b, store.Unsubscribed) }},
		{Name: "never ends a pause", Rule: "paused/resume",
			Spoil: func(b *broken.Store) {
				b.OnUpdate = updatesTo(b, func(was, is store.Status) store.Status {
					if was == store.Paused && is == store.Subscribed {
						return store.Paused
					}
					return is
				})
			}},
		{Name: "goes on with what is Unverified", Rule: "withheld/unverified",
			Spoil: func(b *broken.Store) { b.OnUpdate = unverifiedAs(b, store.Subscribed) }},
		{Name: "takes Unverified for Paused", Rule: "withheld/unverified",
			Spoil: func(b *broken.Store) { b.OnUpdate = unverifiedAs(b, store.Paused) }},
		{Name: "goes on with one that is created Unverified", Rule: "withheld/unverified-begins",
			Spoil: func(b *broken.Store) {
				b.OnCreate = createsWith(b, func(s *store.Subscription) {
					s.Status = store.Subscribed
				})
			}},
		{Name: "makes up a URL", Rule: "withheld/poll",
			Spoil: func(b *broken.Store) {
				b.OnCreate = createsWith(b, func(s *store.Subscription) {
					s.URL = "https://made-up.example/"
				})
			}},
		{Name: "keeps the old URL", Rule: "withheld/poll-requeue",
			Spoil: func(b *broken.Store) {
				b.OnUpdate = updatesWith(b, func(s *store.Subscription) {
					if s.URL == "" {
						s.URL = "https://old.example/"
					}
				})
			}},
		{Name: "ignores a success without a claim", Rule: "withheld/poll-success",
			Spoil: func(b *broken.Store) {
				b.OnFinish = func(
					ctx context.Context, outcomes ...store.Outcome,
				) ([]store.Result, error) {
					results := make([]store.Result, len(outcomes))
					for i := range outcomes {
						if results[i].Ignored = outcomes[i].Token == 0; results[i].Ignored {
							continue
						}
						one, err := b.Store.Finish(ctx, outcomes[i])
						if err != nil {
							return nil, err
						}
						results[i] = one[0]
					}
					return results, nil
				}
			}},
		{Name: "begins with the newest", Rule: "withheld/oldest",
			Spoil: func(b *broken.Store) {
				b.OnDeliveries = func(
					ctx context.Context, q store.DeliveryQuery,
				) (store.Page[store.Delivery], error) {
					err := q.Validate()
					if err != nil {
						return store.Page[store.Delivery]{}, err
					}
					q.Last = false
					return b.Store.Deliveries(ctx, q)
				}
			}},
		{Name: "gives another reason", Rule: "unsubscribe/reason",
			Spoil: func(b *broken.Store) {
				b.OnUpdate = updatesWith(b, func(s *store.Subscription) { s.DisabledReason = "" })
			}},
		{Name: "keeps nothing for a disabled one", Rule: "wanted/disabled",
			Spoil: func(b *broken.Store) {
				b.OnUpdate = updatesWith(b, func(s *store.Subscription) { s.DisabledReason = "" })
			}},
		{Name: "keeps what change did before its error", Rule: "subscriptions/update-error",
			Spoil: func(b *broken.Store) {
				b.OnUpdate = func(
					ctx context.Context, id string, change func(*store.Subscription) error,
				) (store.Subscription, error) {
					var refused error
					sub, err := b.Store.UpdateSubscription(ctx, id,
						func(s *store.Subscription) error {
							refused = change(s)
							return nil
						})
					if refused != nil {
						return store.Subscription{}, refused
					}
					return sub, err
				}
			}},
		{Name: "changes nothing", Rule: "subscriptions/update",
			Spoil: func(b *broken.Store) {
				b.OnUpdate = func(
					ctx context.Context, id string, change func(*store.Subscription) error,
				) (store.Subscription, error) {
					sub, err := b.Store.Subscription(ctx, id)
					if err == nil {
						err = change(&sub)
					}
					return sub, err
				}
			}},
		{Name: "keeps what a deleted one had", Rule: "unsubscribe/delete",
			Spoil: func(b *broken.Store) {
				b.OnDelete = func(ctx context.Context, id string) error {
					_, err := b.Store.UpdateSubscription(ctx, id,
						func(s *store.Subscription) error {
							s.Status = store.Unsubscribed
							return nil
						})
					return err
				}
			}},
	}
}

// pausesAs returns an UpdateSubscription that stores another status in place of Paused.
func pausesAs(
	b *broken.Store, status store.Status,
) func(context.Context, string, func(*store.Subscription) error) (store.Subscription, error) {
	return updatesTo(b, func(_, is store.Status) store.Status {
		if is == store.Paused {
			return status
		}
		return is
	})
}

// unverifiedAs returns an UpdateSubscription that stores another status in place of Unverified.
func unverifiedAs(
	b *broken.Store, status store.Status,
) func(context.Context, string, func(*store.Subscription) error) (store.Subscription, error) {
	return updatesTo(b, func(_, is store.Status) store.Status {
		if is == store.Unverified {
			return status
		}
		return is
	})
}

// createsWith returns a CreateSubscription that stores something else than it returns.
func createsWith(
	b *broken.Store, more func(*store.Subscription),
) func(context.Context, store.Subscription) (store.Subscription, error) {
	return func(ctx context.Context, sub store.Subscription) (store.Subscription, error) {
		status, url := sub.Status, sub.URL
		more(&sub)
		out, err := b.Store.CreateSubscription(ctx, sub)
		out.Status, out.URL = status, url
		return out, err
	}
}

// updatesTo returns an UpdateSubscription that stores another status than the one it returns.
func updatesTo(
	b *broken.Store, other func(was, is store.Status) store.Status,
) func(context.Context, string, func(*store.Subscription) error) (store.Subscription, error) {
	return func(
		ctx context.Context, id string, change func(*store.Subscription) error,
	) (store.Subscription, error) {
		var status store.Status
		sub, err := b.Store.UpdateSubscription(ctx, id, func(s *store.Subscription) error {
			was := s.Status
			err := change(s)
			status, s.Status = s.Status, other(was, s.Status)
			return err
		})
		sub.Status = status
		return sub, err
	}
}

// updatesWith returns an UpdateSubscription that changes more than it is asked to.
func updatesWith(
	b *broken.Store, more func(*store.Subscription),
) func(context.Context, string, func(*store.Subscription) error) (store.Subscription, error) {
	return func(
		ctx context.Context, id string, change func(*store.Subscription) error,
	) (store.Subscription, error) {
		return b.Store.UpdateSubscription(ctx, id, func(s *store.Subscription) error {
			err := change(s)
			more(s)
			return err
		})
	}
}

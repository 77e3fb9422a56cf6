package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/outhook/outhook/store"
)

const (
	pageSize    = 50
	listReaders = 16
)

// measureLists measures how long a page of a long history takes, and what publishers notice of
// those who read: of so many events, each for ten webhooks of one tenant.
func measureLists(ctx context.Context, url string) error {
	o, err := openOuthook(ctx, url)
	if err != nil {
		return err
	}
	defer o.close()
	if err := o.history(ctx, *events); err != nil {
		return err
	}
	subs, err := o.store.Subscriptions(ctx, store.SubscriptionQuery{Limit: 1})
	if err != nil {
		return err
	}
	webhook, dead := subs.Items[0].ID, []store.State{store.Dead}
	queries := []struct {
		name  string
		query store.DeliveryQuery
	}{
		{"of a tenant with much", store.DeliveryQuery{}},
		{"of a tenant with nothing", store.DeliveryQuery{Tenant: "idle"}},
		{"of a webhook", store.DeliveryQuery{SubscriptionID: webhook}},
		{"of a state", store.DeliveryQuery{States: dead}},
		{"of a type that is rare", store.DeliveryQuery{EventType: "rare.event"}},
		{"of a state, of any tenant", store.DeliveryQuery{AnyTenant: true, States: dead}},
		{"with a count", store.DeliveryQuery{Count: true}},
	}
	fmt.Printf("a page of %d of %d deliveries\n\n", pageSize, 10**events)
	fmt.Printf("%-26s  p50 ms  p99 ms\n", "page")
	for _, q := range queries {
		var took []time.Duration
		for range 100 {
			more, err := o.readPages(ctx, q.query, 3)
			if err != nil {
				return err
			}
			took = append(took, more...)
		}
		fmt.Printf("%-26s  %6.1f  %6.1f\n", q.name, quantile(took, 50), quantile(took, 99))
	}
	fmt.Printf("\npublish p99, ms: alone  beside %d readers  ratio\n", listReaders)
	for range *rounds {
		alone, err := o.publishTimed(ctx)
		if err != nil {
			return err
		}
		reading, stop := context.WithCancel(ctx)
		errs := make([]error, listReaders)
		var wg sync.WaitGroup
		for i := range listReaders {
			wg.Go(func() {
				for n := i; reading.Err() == nil && errs[i] == nil; n++ {
					_, errs[i] = o.readPages(reading, queries[n%len(queries)].query, 3)
				}
			})
		}
		beside, err := o.publishTimed(ctx)
		stop()
		wg.Wait()
		for i := range errs {
			if !errors.Is(errs[i], context.Canceled) {
				err = errors.Join(err, errs[i])
			}
		}
		if err != nil {
			return err
		}
		a, s := quantile(alone, 99), quantile(beside, 99)
		fmt.Printf("%21.1f  %17.1f  %5.2f\n", a, s, s/a)
	}
	return nil
}

// history stores n events for ten webhooks, nearly all of which are delivered.
func (o *outhook) history(ctx context.Context, n int) error {
	if err := o.subscribe(ctx, "https://endpoint.example/"); err != nil {
		return err
	}
	for range 9 {
		if _, err := o.d.Subscribe(ctx,
			store.Subscription{URL: "https://endpoint.example/"}); err != nil {
			return err
		}
	}
	_, err := o.d.Subscribe(ctx, store.Subscription{Tenant: "idle", URL: "https://endpoint.example/"})
	if err != nil {
		return err
	}
	state := store.Dead // of the first deliveries; all others succeed
	say := newSaying("making a history")
	defer say.done()
	for done := 0; done < n; done += 500 {
		say.say("%d of %d events", done, n)
		if err := o.publish(ctx, min(500, n-done)); err != nil {
			return err
		}
		for {
			claims, err := o.store.Claim(ctx, store.ClaimRequest{Max: 1000, Lease: time.Minute})
			if err != nil {
				return err
			}
			if len(claims.Claims) == 0 {
				break
			}
			outcomes := make([]store.Outcome, len(claims.Claims))
			for i, c := range claims.Claims {
				outcomes[i] = store.Outcome{Lease: c.Lease, State: state,
					Attempt: store.Attempt{Number: 1, At: time.Now(), Status: 200}}
			}
			if _, err := o.store.Finish(ctx, outcomes...); err != nil {
				return err
			}
			state = store.Delivered
		}
	}
	for _, settle := range []string{"VACUUM (ANALYZE)", "CHECKPOINT"} {
		if _, err := o.pool.Exec(ctx, settle); err != nil {
			return err
		}
	}
	return nil
}

// readPages reads so many pages of a listing, or fewer if it ends, and returns how long each took.
func (o *outhook) readPages(
	ctx context.Context, q store.DeliveryQuery, n int,
) (took []time.Duration, err error) {
	q.Limit = pageSize
	for range n {
		start := time.Now()
		page, err := o.store.Deliveries(ctx, q)
		if err != nil {
			return nil, err
		}
		took = append(took, time.Since(start))
		if q.Cursor = page.Next; q.Cursor == "" {
			break
		}
	}
	return took, nil
}

// publishTimed publishes 200 events a second for five seconds, and returns how long each call took.
func (o *outhook) publishTimed(ctx context.Context) ([]time.Duration, error) {
	const n, rate = 1000, 200
	took, errs := make([]time.Duration, n), make([]error, n)
	start := time.Now()
	var wg sync.WaitGroup
	for i := range n {
		timer := time.NewTimer(time.Until(start.Add(time.Duration(i) * time.Second / rate)))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
		wg.Go(func() {
			began := time.Now()
			errs[i] = o.publish(ctx, 1)
			took[i] = time.Since(began)
		})
	}
	wg.Wait()
	return took, errors.Join(errs...)
}

// quantile returns the time, in milliseconds, within which so many of a hundred came.
func quantile(took []time.Duration, percent int) float64 {
	if len(took) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(took))
	return float64(sorted[len(sorted)*percent/100]) / float64(time.Millisecond)
}

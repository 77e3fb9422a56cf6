package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/internal/bench/receiver"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

const (
	pageSize    = 50
	listReaders = 16
	rareType    = "rare.event" // what a reader looks for in vain

	smallTenant = "small" // has a little of what is stored, all of it old
	idleTenant  = "idle"  // has nothing
)

// listing is a query of a reader, with the bound for a page of it.
type listing struct {
	name  string
	query store.DeliveryQuery
	most  float64 // ms
}

// lists measures how long a page of a long history takes, and what publishers notice of those who
// read. It drives the store directly.
func (b *bench) lists(ctx context.Context) (err error) {
	h, err := b.newHost(0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	total, err := b.history(ctx, h)
	if err != nil {
		return err
	}
	all, err := listings(ctx, h)
	if err != nil {
		return err
	}
	work := fmt.Sprintf("a page of %d of %d deliveries (the store alone)", pageSize, total)
	for _, l := range all {
		var took []time.Duration
		for range b.size(100, 3) {
			more, err := readPages(ctx, h, l.query, 3)
			if err != nil {
				return fmt.Errorf("%s: %w", l.name, err)
			}
			took = append(took, more...)
		}
		s := receiver.Summarize(took)
		b.log("N17: %s: p50 %v, p99 %v", l.name, s.P50, s.P99)
		b.table.add(figure{"N17", work, l.name + ", p99", ms(s.P99), " ms", l.most, atMost})
	}
	return b.besideReaders(ctx, h, all)
}

// history stores deliveries: of a million, nearly all are of one tenant with ten webhooks, and have
// been delivered.
func (b *bench) history(ctx context.Context, h *host) (total int, err error) {
	const webhooks = 10
	busy, small := b.size(100_000, 200), b.size(300, 20)
	if err := h.subscribe(ctx, benchType, webhooks, b.receiver.Hook); err != nil {
		return 0, err
	}
	for _, tenant := range []string{smallTenant, idleTenant} {
		_, err := h.dispatcher.Subscribe(ctx, store.Subscription{
			Tenant: tenant, URL: b.receiver.Hook(0), Events: []string{benchType},
			Secrets: []signing.Secret{receiver.Secret},
		})
		if err != nil {
			return 0, err
		}
	}
	toSmall := func(ctx context.Context, evs ...events.Event) error {
		for i := range evs {
			evs[i].Tenant = smallTenant
		}
		return h.store.Enqueue(ctx, evs...)
	}
	if _, err := publish(ctx, toSmall, benchType, small, 1, 100); err != nil {
		return 0, err
	}
	left, pending := small+busy*webhooks, b.size(1000, 50)
	for done := 0; done < busy; done += busy / 20 {
		if _, err := enqueueDirectly(ctx, h.store, busy/20, 200); err != nil {
			return 0, err
		}
		n := min(busy/20*webhooks, left-pending)
		if _, err := deliverDirectly(ctx, h.store, n); err != nil {
			return 0, err
		}
		left -= n
	}
	// A few have failed for good.
	claims, err := h.store.Claim(ctx, store.ClaimRequest{Max: pending / 2, Lease: time.Minute})
	if err != nil {
		return 0, err
	}
	var outcomes []store.Outcome
	for _, c := range claims.Claims {
		outcomes = append(outcomes, store.Outcome{Lease: c.Lease, State: store.Dead,
			Attempt: store.Attempt{Number: c.Attempt, At: time.Now(), Status: 410}})
	}
	_, err = h.store.Finish(ctx, outcomes...)
	return small + busy*webhooks, err
}

// listings returns what readers ask for.
func listings(ctx context.Context, h *host) ([]listing, error) {
	page, err := h.store.Subscriptions(ctx, store.SubscriptionQuery{})
	if err != nil {
		return nil, err
	}
	const indexed, other = 50, 350
	webhook, dead := page.Items[0].ID, []store.State{store.Dead}
	return []listing{
		{"of a tenant with much", store.DeliveryQuery{}, indexed},
		{"of a tenant with little", store.DeliveryQuery{Tenant: smallTenant}, indexed},
		{"of a tenant with nothing", store.DeliveryQuery{Tenant: idleTenant}, indexed},
		{"of a webhook", store.DeliveryQuery{SubscriptionID: webhook}, indexed},
		{"of a state", store.DeliveryQuery{States: dead}, indexed},
		{"of a state, of any tenant", store.DeliveryQuery{AnyTenant: true, States: dead}, indexed},
		{"pending", store.DeliveryQuery{States: []store.State{store.Pending}}, indexed},
		{"of a type that is rare", store.DeliveryQuery{EventType: rareType}, other},
		{"of a webhook and a type that is rare", store.DeliveryQuery{
			SubscriptionID: webhook, EventType: rareType,
		}, other},
		{"with a count", store.DeliveryQuery{Count: true}, other},
	}, nil
}

// readPages reads so many pages of a listing, or fewer if it ends, and returns how long each took.
func readPages(
	ctx context.Context, h *host, q store.DeliveryQuery, n int,
) (took []time.Duration, err error) {
	q.Limit = pageSize
	for range n {
		start := time.Now()
		page, err := h.store.Deliveries(ctx, q)
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

// besideReaders compares what publishers wait for alone and beside readers who never rest.
func (b *bench) besideReaders(ctx context.Context, h *host, all []listing) error {
	var ratios []float64
	var pages []time.Duration
	for range b.rounds {
		alone, err := b.publishers(ctx, h)
		if err != nil {
			return err
		}
		reading, stop := context.WithCancel(ctx)
		took, errs := make([][]time.Duration, listReaders), make([]error, listReaders)
		var wg sync.WaitGroup
		for i := range listReaders {
			wg.Go(func() {
				for n := i; reading.Err() == nil && errs[i] == nil; n++ {
					var some []time.Duration
					some, errs[i] = readPages(reading, h, all[n%len(all)].query, 3)
					took[i] = append(took[i], some...)
				}
			})
		}
		beside, err := b.publishers(ctx, h)
		stop()
		wg.Wait()
		for i := range errs {
			if errors.Is(errs[i], context.Canceled) {
				errs[i] = nil
			}
		}
		if err := errors.Join(err, firstError(errs)); err != nil {
			return err
		}
		pages = append(pages, slices.Concat(took...)...)
		a, s := receiver.Summarize(alone), receiver.Summarize(beside)
		b.log("N17: publish p99 %v alone, %v beside %d readers", a.P99, s.P99, listReaders)
		ratios = append(ratios, float64(s.P99)/float64(a.P99))
	}
	work := fmt.Sprintf("publishers at 500/s beside %d readers of any listing", listReaders)
	b.table.add(figure{"N17", work, "publish p99, growth", median(ratios), "", 1.5, atMost})
	// No target: they wait for one another, and rest for the publishers.
	b.log("N17: a page, p99 %v beside %d readers", receiver.Summarize(pages).P99, listReaders)
	return nil
}

// publishers publishes at a steady rate, and returns how long each call took.
func (b *bench) publishers(ctx context.Context, h *host) ([]time.Duration, error) {
	var mu sync.Mutex
	var took []time.Duration
	timed := func(ctx context.Context, evs ...events.Event) error {
		start := time.Now()
		err := h.store.Enqueue(ctx, evs...)
		mu.Lock()
		defer mu.Unlock()
		took = append(took, time.Since(start))
		return err
	}
	const rate = 500
	err := publishSteadily(ctx, timed, benchType, b.size(5*rate, 50), rate)
	return took, err
}

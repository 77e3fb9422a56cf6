package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outhook/outhook/internal/bench/browse"
	"github.com/outhook/outhook/internal/bench/receiver"
	"github.com/outhook/outhook/store"
)

// liveRefresh is how often the page of an operator refreshes itself.
const liveRefresh = 5 * time.Second

// console measures the console's pages on a long history, and what deliveries notice of those who
// look.
func (b *bench) console(ctx context.Context) error {
	if err := b.pages(ctx); err != nil {
		return err
	}
	return b.besideOperators(ctx)
}

// consolePage is a page with the bound for it.
type consolePage struct {
	name string
	page browse.Page
	most float64 // ms
}

// pages measures pages of the console when a million deliveries are stored.
func (b *bench) pages(ctx context.Context) (err error) {
	h, err := b.newHost(0)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, h.close()) }()
	total, err := b.history(ctx, h)
	if err != nil {
		return err
	}
	c, err := browse.New(h.dispatcher)
	if err != nil {
		return err
	}
	all, err := consolePages(ctx, h)
	if err != nil {
		return err
	}
	work := fmt.Sprintf("a page of the console, %d of %d deliveries", pageSize, total)
	for _, p := range all {
		var took []time.Duration
		for range b.size(60, 2) {
			more, err := c.Open(p.page, 3)
			if err != nil {
				return fmt.Errorf("%s: %w", p.name, err)
			}
			took = append(took, more...)
		}
		s := receiver.Summarize(took)
		b.log("N18: %s: p50 %v, p99 %v", p.name, s.P50, s.P99)
		b.table.add(figure{"N18", work, p.name + ", p99", ms(s.P99), " ms", p.most, atMost})
	}
	return nil
}

// consolePages returns the pages that are measured: lists by a filter that has an index, lists by
// any other, and pages that sum up.
func consolePages(ctx context.Context, h *host) ([]consolePage, error) {
	subs, err := h.store.Subscriptions(ctx, store.SubscriptionQuery{Limit: 1})
	if err != nil {
		return nil, err
	}
	deliveries, err := h.store.Deliveries(ctx, store.DeliveryQuery{
		SubscriptionID: subs.Items[0].ID, Limit: 1,
	})
	if err != nil {
		return nil, err
	}
	const indexed, other = 50, 350
	busy, small := "", smallTenant
	id, event := "id="+subs.Items[0].ID, deliveries.Items[0].EventID
	rare := "type=" + rareType
	of := func(path string, tenant *string) browse.Page {
		return browse.Page{Path: path, Tenant: tenant}
	}
	return []consolePage{
		{"deliveries of all tenants", of("deliveries", nil), indexed},
		{"of a tenant", of("deliveries", &busy), indexed},
		{"of a tenant with little", of("deliveries", &small), indexed},
		{"of a webhook", of("deliveries?"+id, &busy), indexed},
		{"in a state", of("deliveries?state=dead", &busy), indexed},
		{"in a state, of all tenants", of("deliveries?state=dead", nil), indexed},
		{"pending, of all tenants", of("deliveries?state=pending", nil), indexed},
		{"webhooks", of("list", nil), indexed},
		{"a delivery", of("delivery?"+id+"&event="+event, &busy), indexed},
		{"an event", of("event?id="+event, &busy), indexed},
		{"of a type that is rare", of("deliveries?"+rare, nil), other},
		{"of a webhook and a type that is rare", of("deliveries?"+id+"&"+rare, &busy), other},
		{"of an hour, counted", of("deliveries?last=1h&count=1", nil), other},
		{"an event that is nowhere", of("event?id=nowhere", nil), other},
		{"a webhook", of("webhook?"+id, &busy), other},
		{"the overview", of("", nil), other},
	}, nil
}

// besideOperators compares how fast deliveries are alone and while five operators browse, each with
// a page that refreshes itself. The two take turns, so that each of the latter has one of the
// former before and after it.
func (b *bench) besideOperators(ctx context.Context) error {
	l := load{name: "N18", publishers: 16, batch: 100, subscriptions: 1,
		events: b.size(200_000, 400)}
	beside := l
	beside.operators = true
	alone, err := b.deliver(ctx, l, false)
	if err != nil {
		return err
	}
	var ratios []float64
	for range b.rounds {
		watched, err := b.deliver(ctx, beside, false)
		if err != nil {
			return err
		}
		again, err := b.deliver(ctx, l, false)
		if err != nil {
			return err
		}
		rate := (alone.Rate + again.Rate) / 2
		b.log("N18: %.0f/s alone, %.0f/s while operators browse", rate, watched.Rate)
		ratios, alone = append(ratios, watched.Rate/rate), again
	}
	b.table.add(figure{"N18", l.String() + ", while 5 operators browse live",
		"deliveries/s ÷ alone", median(ratios), "", 0.98, atLeast})
	return nil
}

// browse lets five operators browse a host, if the load has them, until stop is called.
func (l load) browse(ctx context.Context, h *host) (stop func() error, err error) {
	if !l.operators {
		return func() error { return nil }, nil
	}
	subs, err := h.store.Subscriptions(ctx, store.SubscriptionQuery{Limit: 1})
	if err != nil {
		return nil, err
	}
	c, err := browse.New(h.dispatcher)
	if err != nil {
		return nil, err
	}
	return c.Live(ctx, liveRefresh, browse.Page{Path: ""}, browse.Page{Path: "list"},
		browse.Page{Path: "deliveries"}, browse.Page{Path: "webhook?id=" + subs.Items[0].ID},
		browse.Page{Path: "deliveries?state=pending"}), nil
}

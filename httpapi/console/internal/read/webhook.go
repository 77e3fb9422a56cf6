package read

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/store"
)

// Webhook is a webhook as a page shows it: without its keys, the values of its headers and the
// query of its URL.
type Webhook struct {
	ID, Name, URL, Tenant string
	Types                 []string
	State                 show.State
	Stats                 dispatcher.SubscriptionStats
	CreatedAt, UpdatedAt  time.Time
	On                    bool // what is published is kept for it, and sent unless it is paused
	Paused                bool
	Polled                bool   // it has no URL
	FilterError           string // it gets nothing, as its filter does not parse

	// What Reader.addHistory adds.
	Spark      show.Spark
	LastAt     time.Time // when the last attempt ended; zero if that is not known
	LastFailed bool
}

// Success is the share of the attempts of a day that succeeded; Tried says whether there were any.
func (w Webhook) Success() float64 { return w.Stats.Day.SuccessRate() }
func (w Webhook) Tried() int       { return w.Stats.Day.Delivered + w.Stats.Day.Failed }

// webhook returns what is shown of a subscription. One that was deleted since it was listed has no
// figures.
func (r *Reader) webhook(ctx context.Context, sub *store.Subscription) (Webhook, error) {
	stats, err := r.D.SubscriptionStats(ctx, sub.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return Webhook{}, err
	}
	w := Webhook{
		ID: sub.ID, URL: show.URL(sub.URL), Tenant: sub.Tenant, Types: sub.Events,
		Name:  text.Line(cmp.Or(sub.Name, "(no name)")),
		Stats: stats, State: show.WebhookState(sub, &stats),
		CreatedAt: sub.CreatedAt, UpdatedAt: sub.UpdatedAt,
		On: sub.Collects(), Paused: sub.Status == store.Paused,
		Polled: sub.URL == "",
	}
	if err := sub.FilterError(); err != nil {
		w.FilterError = text.Line(err.Error())
	}
	return w, nil
}

// WebhookPage is what the page of one webhook reads.
type WebhookPage struct {
	Webhook
	Last   []store.Delivery // the newest
	Facts  show.Facts
	Days   show.Chart
	Policy []show.Fact // what of it is not as usual
}

// lastDeliveries is how many deliveries the page of a webhook has.
const lastDeliveries = 10

// WebhookPage reads what there is about a webhook that Subscription has returned.
func (r *Reader) WebhookPage(ctx context.Context, sub *store.Subscription) (WebhookPage, error) {
	p := WebhookPage{Policy: r.policyFacts(sub)}
	var err error
	if p.Webhook, err = r.webhook(ctx, sub); err != nil {
		return p, err
	}
	if err := r.addLast(ctx, &p.Webhook, nil); err != nil {
		return p, err
	}
	page, err := r.D.Deliveries(ctx, store.DeliveryQuery{
		Tenant: sub.Tenant, SubscriptionID: sub.ID, Limit: lastDeliveries,
	})
	if err != nil {
		return p, err
	}
	p.Last = page.Items
	p.Facts.Keys = len(sub.Keys(time.Now()))
	if p.Stats.Failures > 0 {
		if err := r.addLastError(ctx, sub, &p.Facts); err != nil {
			return p, err
		}
	}
	if sub.Disabled() {
		waiting, err := r.D.Deliveries(ctx, store.DeliveryQuery{
			Tenant: sub.Tenant, SubscriptionID: sub.ID, States: []store.State{store.Dead, store.Canceled},
			Limit: 1, Count: true,
		})
		if err != nil {
			return p, err
		}
		p.Facts.Waiting, p.Facts.WaitingMore = waiting.Total, waiting.TotalIsLowerBound
	}
	p.Days, err = r.chart(ctx,
		store.FiguresQuery{SubscriptionID: sub.ID, Per: store.PerHour}, store.PerHour.Count())
	return p, err
}

// policyFacts say what of a webhook's policy is not as usual. One that can't be used, which is for
// the host to correct, is a fact for operators alone.
func (r *Reader) policyFacts(sub *store.Subscription) []show.Fact {
	policy, err := r.D.PolicyOf(*sub)
	switch {
	case err == nil:
		return show.PolicyFacts(&policy)
	case r.AnyTenant:
		return []show.Fact{{Name: "Policy", Value: "can't be used, so nothing is sent: " +
			text.Line(err.Error())}}
	}
	return nil
}

// addLastError adds why the newest delivery that has failed did, and what to do about it. Those
// that wait for an endpoint that is down have not been tried, so it looks beyond them for a while.
func (r *Reader) addLastError(
	ctx context.Context, sub *store.Subscription, facts *show.Facts,
) error {
	end := time.Now().Add(Budget)
	query := store.DeliveryQuery{Tenant: sub.Tenant, SubscriptionID: sub.ID,
		States: []store.State{store.Pending, store.Dead}}
	for {
		page, err := r.D.Deliveries(ctx, query)
		if err != nil {
			return err
		}
		for _, d := range page.Items {
			if d.LastError != "" {
				facts.LastError = show.Reason(d.LastError)
				facts.Advice = show.Advice(d.LastStatus, d.LastError)
				return nil
			}
		}
		if page.Next == "" || time.Now().After(end) {
			return nil
		}
		query.Cursor = page.Next
	}
}

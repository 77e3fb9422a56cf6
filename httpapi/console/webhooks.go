package console

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// webhook is a webhook as a page shows it: without its keys, the values of its headers and the
// query of its URL.
type webhook struct {
	ID, Name, URL, Tenant string
	Types                 []string
	State                 show.State
	Stats                 dispatcher.SubscriptionStats
	CreatedAt, UpdatedAt  time.Time
	On                    bool // what is published is kept for it, and sent unless it is paused
	Paused                bool
	Polled                bool   // it has no URL
	FilterError           string // it gets nothing, as its filter does not parse

	// A list has these too.
	Spark      show.Spark
	LastAt     time.Time // when the last attempt ended; zero if that is not known
	LastFailed bool
}

// newWebhook returns what is shown of a subscription. One that was deleted since it was listed has
// no figures.
func (q *request) newWebhook(ctx context.Context, sub *store.Subscription) (webhook, error) {
	stats, err := q.d.SubscriptionStats(ctx, sub.ID)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return webhook{}, err
	}
	w := webhook{
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

// Success is the share of the attempts of a day that succeeded; Tried says whether there were any.
func (w webhook) Success() float64 { return w.Stats.Day.SuccessRate() }
func (w webhook) Tried() int       { return w.Stats.Day.Delivered + w.Stats.Day.Failed }

// webhookPage is the data of the page of one webhook.
type webhookPage struct {
	webhook
	Description string
	Labels      []string // of its owner's, as "key = value"
	Headers     []string // names alone
	Filter      string
	Fields      []string
	Keys        int
	PublicKeys  []signing.PublicKey // of those that are Ed25519
	Policy      []show.Fact         // what of it is not as usual
	Bars        []show.Bar
	Last        deliveryRows
	Test        *testResult
	Days        show.Chart
}

// webhook shows one webhook, and what to do about whatever is wrong with it.
func (q *request) webhook() (*view, error) {
	ctx := q.r.Context()
	sub, err := q.subscription(q.form.Get("id"))
	if err != nil {
		return nil, err
	}
	data := webhookPage{Keys: len(sub.Keys(time.Now())), Headers: headerNames(&sub),
		PublicKeys: sub.PublicKeys(time.Now())}
	if data.webhook, err = q.newWebhook(ctx, &sub); err != nil {
		return nil, err
	}
	data.Filter, data.Fields = sub.Filter, sub.Fields
	data.Policy = q.policyFacts(&sub)
	data.Description = text.Line(sub.Description)
	for _, key := range slices.Sorted(maps.Keys(sub.Metadata)) {
		data.Labels = append(data.Labels, text.Line(key+" = "+sub.Metadata[key]))
	}
	page, err := q.d.Deliveries(ctx, store.DeliveryQuery{
		Tenant: sub.Tenant, SubscriptionID: sub.ID, Limit: 10,
	})
	if err != nil {
		return nil, err
	}
	data.Last = deliveryRows{Rows: show.NewRows(page.Items, q.d.MaxAttempts()), OneWebhook: true}
	if err := q.addLastAttempt(ctx, &data.webhook); err != nil {
		return nil, err
	}
	facts := show.Facts{Keys: data.Keys}
	if data.Stats.Failures > 0 {
		facts.LastError, facts.Advice, err = q.lastError(ctx, &sub)
		if err != nil {
			return nil, err
		}
	}
	if sub.Disabled() {
		waiting, err := q.d.Deliveries(ctx, store.DeliveryQuery{
			Tenant: sub.Tenant, SubscriptionID: sub.ID, States: []store.State{store.Canceled},
			Limit: 1, Count: true,
		})
		if err != nil {
			return nil, err
		}
		facts.Waiting, facts.WaitingMore = waiting.Total, waiting.TotalIsLowerBound
	}
	may := q.access.May
	data.Bars = show.Bars(&sub, &data.Stats, facts, show.Reader{Edit: may.Edit(), Test: may.Test(),
		Send: may.Send(), Operator: q.access.AnyTenant})
	data.Days, err = q.newChart(ctx,
		store.FiguresQuery{SubscriptionID: sub.ID, Per: store.PerHour}, store.PerHour.Count())
	if err != nil {
		return nil, err
	}
	data.Test = q.readTest(sub.ID, "")
	return &view{template: "webhook", title: data.Name, data: data, live: true}, nil
}

// policyFacts say what of a webhook's policy is not as usual. One that can't be used, which is for
// the host to correct, is a fact for operators alone.
func (q *request) policyFacts(sub *store.Subscription) []show.Fact {
	policy, err := q.d.PolicyOf(*sub)
	switch {
	case err == nil:
		return show.PolicyFacts(&policy)
	case q.access.AnyTenant:
		return []show.Fact{{Name: "Policy", Value: "can't be used, so nothing is sent: " +
			text.Line(err.Error())}}
	}
	return nil
}

// lastError returns why the newest delivery that has failed did, and what to do about it. Those
// that wait for an endpoint that is down have not been tried, so it looks beyond them for a while.
func (q *request) lastError(
	ctx context.Context, sub *store.Subscription,
) (reason, advice string, err error) {
	end := time.Now().Add(readBudget)
	query := store.DeliveryQuery{Tenant: sub.Tenant, SubscriptionID: sub.ID,
		States: []store.State{store.Pending, store.Dead}}
	for {
		page, err := q.d.Deliveries(ctx, query)
		if err != nil {
			return "", "", err
		}
		for _, d := range page.Items {
			if d.LastError != "" {
				return show.Reason(d.LastError), show.Advice(d.LastStatus, d.LastError), nil
			}
		}
		if page.Next == "" || time.Now().After(end) {
			return "", "", nil
		}
		query.Cursor = page.Next
	}
}

// newChart returns the chart of the last figures; those that are older count for nothing.
func (q *request) newChart(
	ctx context.Context, query store.FiguresQuery, last int,
) (show.Chart, error) {
	figures, err := q.d.Figures(ctx, query)
	if err != nil {
		return show.Chart{}, err
	}
	return show.NewChart(&figures, query.Per, last), nil
}

func isInvalid(err error) bool {
	invalid := (*events.InvalidError)(nil)
	return errors.As(err, &invalid)
}

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
	Unverified            bool // its endpoint has not agreed yet
	Polled                bool // it has no URL
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
		Unverified: sub.Status == store.Unverified, Polled: sub.URL == "",
	}
	return w, nil
}

// Success is the share of the attempts of a day that succeeded; Tried says whether there were any.
func (w webhook) Success() float64 { return w.Stats.Day.SuccessRate() }
func (w webhook) Tried() int       { return w.Stats.Day.Delivered + w.Stats.Day.Failed }

// Bar is the width of the bar that shows Success, of 60.
func (w webhook) Bar() int { return int(w.Success() * 60) }

// listPage is the data of the page of webhooks.
type listPage struct {
	Webhooks        []webhook
	Total           int
	Tenant, Status  string
	Type, Text      string
	Filtered, Short bool   // Short: only a part was searched
	Next, Previous  string // URLs
}

// list shows webhooks, oldest first.
func (q *request) list() (*view, error) {
	ctx := q.r.Context()
	data := listPage{
		Status: q.form.Get("status"), Type: q.form.Get("type"), Text: q.form.Get("text"),
	}
	query := store.SubscriptionQuery{
		Tenant: q.access.Tenant, Cursor: q.form.Get("cursor"), Limit: pageSize,
		EventType: data.Type, Text: data.Text,
	}
	if q.access.AnyTenant {
		data.Tenant = q.form.Get("tenant")
		query.Tenant, query.AnyTenant = data.Tenant, data.Tenant == ""
	}
	switch data.Status {
	case "on":
		query.Statuses = []store.Status{store.Subscribed}
	case "paused":
		query.Statuses = []store.Status{store.Paused}
	case "unverified":
		query.Statuses = []store.Status{store.Unverified}
	case "off":
		query.Statuses = []store.Status{store.Unsubscribed}
	default:
		data.Status = ""
	}
	data.Filtered = query.Filtered()
	page, err := q.d.Subscriptions(ctx, query)
	if err != nil {
		return nil, err
	}
	data.Total = page.Total
	for i := range page.Items {
		w, err := q.newWebhook(ctx, &page.Items[i])
		if err != nil {
			return nil, err
		}
		data.Webhooks = append(data.Webhooks, w)
	}
	data.Next = q.cursorURL(page.Next)
	data.Previous = q.cursorURL(page.Previous)
	data.Short = data.Next != "" && len(data.Webhooks) < pageSize
	return &view{template: "list", title: "Webhooks", data: data, live: true}, nil
}

// cursorURL returns the page's own URL with another cursor; empty if there is none.
func (q *request) cursorURL(cursor string) string {
	if cursor == "" {
		return ""
	}
	query := q.r.URL.Query()
	query.Set("cursor", cursor)
	query.Del("done")
	query.Del("n")
	query.Del("of")
	return q.name + "?" + query.Encode()
}

// webhookPage is the data of the page of one webhook.
type webhookPage struct {
	webhook
	Description  string
	Labels       []string // of its owner's, as "key = value"
	Headers      []string // names alone
	Keys         int
	OverlapUntil time.Time
	Reason       string // why it was disabled
	Waiting      int    // events that were canceled since
	WaitingMore  bool   // there are more than that
	Last         deliveryRows
	Test         *testResult
	Open         bool // the breaker is
	LastError    string
	Days         show.Chart
	Advice       string
}

// webhook shows one webhook, and what to do about whatever is wrong with it.
func (q *request) webhook() (*view, error) {
	ctx := q.r.Context()
	sub, err := q.subscription(q.form.Get("id"))
	if err != nil {
		return nil, err
	}
	data := webhookPage{Reason: text.Line(sub.DisabledReason), Keys: len(sub.Keys(time.Now()))}
	if data.webhook, err = q.newWebhook(ctx, &sub); err != nil {
		return nil, err
	}
	if data.Keys > 1 {
		data.OverlapUntil = sub.OverlapUntil
	}
	data.Headers = headerNames(&sub)
	data.Description = text.Line(sub.Description)
	for _, key := range slices.Sorted(maps.Keys(sub.Metadata)) {
		data.Labels = append(data.Labels, text.Line(key+" = "+sub.Metadata[key]))
	}
	data.Open = data.Stats.Breaker == dispatcher.BreakerOpen && sub.Withheld() == ""
	if sub.Disabled() {
		page, err := q.d.Deliveries(ctx, store.DeliveryQuery{
			Tenant: sub.Tenant, SubscriptionID: sub.ID, States: []store.State{store.Canceled},
			Limit: 1, Count: true,
		})
		if err != nil {
			return nil, err
		}
		data.Waiting, data.WaitingMore = page.Total, page.TotalIsLowerBound
	}
	page, err := q.d.Deliveries(ctx, store.DeliveryQuery{
		Tenant: sub.Tenant, SubscriptionID: sub.ID, Limit: 10,
	})
	if err != nil {
		return nil, err
	}
	data.Last = deliveryRows{Rows: show.NewRows(page.Items), OneWebhook: true}
	if data.Stats.Failures > 0 {
		for _, d := range page.Items {
			if d.LastError != "" && d.State != store.Canceled {
				data.LastError = show.Reason(d.LastError)
				data.Advice = show.Advice(d.LastStatus, d.LastError)
				break
			}
		}
	}
	data.Days, err = q.newChart(ctx,
		store.FiguresQuery{SubscriptionID: sub.ID, Per: store.PerHour}, store.PerHour.Count())
	if err != nil {
		return nil, err
	}
	data.Test = q.readTest(sub.ID)
	return &view{template: "webhook", title: data.Name, data: data, live: true}, nil
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

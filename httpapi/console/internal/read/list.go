package read

import (
	"context"
	"errors"
	"time"

	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/store"
)

// List is a page of webhooks.
type List struct {
	Webhooks []Webhook
	Total    int  // of all that the store has for the query
	Short    bool // only a part was searched

	NextCursor, PreviousCursor string
}

// List reads a page of webhooks by a query that begins with WebhookScope, and by their state, a
// word of [show.WebhookStates]; empty is any. A filter may select few, and the store does not know
// all states: so it goes on for Budget, or until there are as many as a page has.
func (r *Reader) List(
	ctx context.Context, query store.SubscriptionQuery, state string,
) (List, error) {
	var l List
	query.Statuses = show.Statuses(state)
	end := time.Now().Add(Budget)
	for first := true; ; first = false {
		page, err := r.D.Subscriptions(ctx, query)
		if err != nil {
			return l, err
		}
		all, err := r.webhooks(ctx, page.Items)
		if err != nil {
			return l, err
		}
		var rows []*Webhook
		for i := range all {
			if state == "" || all[i].State.Word == state {
				rows = append(rows, &all[i])
			}
		}
		if err := r.addHistory(ctx, rows); err != nil {
			return l, err
		}
		for _, w := range rows {
			l.Webhooks = append(l.Webhooks, *w)
		}
		if first {
			l.Total, l.PreviousCursor = page.Total, page.Previous
		}
		l.NextCursor = page.Next
		switch {
		case page.Next == "" || len(l.Webhooks) >= PageSize:
			return l, nil
		case time.Now().After(end):
			l.Short = true
			return l, nil
		}
		query.Cursor = page.Next
	}
}

// webhooks returns what is shown of subscriptions, without their history.
func (r *Reader) webhooks(ctx context.Context, subs []store.Subscription) ([]Webhook, error) {
	all := make([]Webhook, len(subs))
	return all, atOnce(len(all), func(i int) (err error) {
		all[i], err = r.webhook(ctx, &subs[i])
		return err
	})
}

// addHistory adds the bars of a day and the last attempt to webhooks that the sender may see. Of
// one without attempts it reads nothing more.
func (r *Reader) addHistory(ctx context.Context, rows []*Webhook) error {
	delivered, err := r.newest(ctx, rows)
	if err != nil {
		return err
	}
	return atOnce(len(rows), func(i int) error {
		w := rows[i]
		if w.Tried() > 0 {
			figures, err := r.D.Figures(ctx,
				store.FiguresQuery{SubscriptionID: w.ID, Per: store.PerHour})
			if err != nil && !errors.Is(err, store.ErrNotFound) {
				return err
			}
			w.Spark = show.NewSpark(&figures, &w.Stats.Day)
		}
		return r.addLast(ctx, w, delivered)
	})
}

// newestOf is how many of the newest deliveries are read for all rows of a list together.
const newestOf = 2 * PageSize

// newest returns when the newest delivery of webhooks ended that has succeeded, by their IDs: of as
// many as one read finds. Those of a busy host are mostly among its newest deliveries; without it,
// each row would cost a read for this alone.
func (r *Reader) newest(ctx context.Context, rows []*Webhook) (map[string]time.Time, error) {
	query, asking := store.DeliveryQuery{}, 0
	for _, w := range rows {
		if !w.lastSucceeded() {
			continue
		}
		if asking++; asking == 1 {
			query.Tenant = w.Tenant
		}
		if w.Tenant != query.Tenant { // which an operator's list alone has
			query.Tenant, query.AnyTenant = "", true
		}
	}
	if asking < 2 {
		return nil, nil
	}
	query.States, query.Limit = []store.State{store.Delivered}, newestOf
	page, err := r.D.Deliveries(ctx, query)
	if err != nil {
		return nil, err
	}
	ended := make(map[string]time.Time)
	for i := range page.Items {
		d := &page.Items[i]
		if _, newer := ended[d.SubscriptionID]; !newer {
			ended[d.SubscriptionID] = d.FinishedAt
		}
	}
	return ended, nil
}

// lastSucceeded reports whether a webhook was tried, and the last time successfully.
func (w *Webhook) lastSucceeded() bool { return !w.Stats.New && w.Stats.FailingSince.IsZero() }

// addLast adds when the last attempt was, and whether it failed. delivered are the times that
// newest has found.
func (r *Reader) addLast(
	ctx context.Context, w *Webhook, delivered map[string]time.Time,
) error {
	if !w.Stats.FailingSince.IsZero() { // the last one that was no success, and none was since
		w.LastAt, w.LastFailed = w.Stats.FailingSince.Add(w.Stats.FailingFor), true
		return nil
	}
	if !w.lastSucceeded() {
		return nil
	}
	if at, known := delivered[w.ID]; known {
		w.LastAt = at
		return nil
	}
	page, err := r.D.Deliveries(ctx, store.DeliveryQuery{
		Tenant: w.Tenant, SubscriptionID: w.ID, States: []store.State{store.Delivered}, Limit: 1,
	})
	if err == nil && len(page.Items) > 0 {
		w.LastAt = page.Items[0].FinishedAt
	}
	return err
}

package console

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/store"
)

// The bounds from which on a webhook needs attention.
const (
	lateAfter   = 5 * time.Minute // of its oldest pending delivery
	goodSuccess = 0.95            // of a day
	enoughTried = 20              // attempts of a day, for a share to mean something
)

// maxAttention is how many webhooks need attention on one page.
const maxAttention = 15

// trouble is a webhook that needs attention.
type trouble struct {
	webhook
	Why  string
	rank int
}

// overviewPage is the data of the operator's first page.
type overviewPage struct {
	dispatcher.Stats
	Troubles   []trouble
	More       int // troubles that are not shown
	Looked     int // webhooks that were looked at
	Busiest    []webhook
	Hour       show.Chart
	Complete   bool // all were looked at
	OldestLate bool
}

// overview shows how the whole is, and what needs attention, worst first.
func (q *request) overview() (*view, error) {
	ctx := q.r.Context()
	stats, err := q.d.Stats(ctx)
	if err != nil {
		return nil, err
	}
	data := overviewPage{Stats: stats}
	data.OldestLate = !stats.OldestPending.IsZero() &&
		time.Since(stats.OldestPending) > lateAfter
	data.Hour, err = q.newChart(ctx,
		store.FiguresQuery{AnyTenant: true, Per: store.PerMinute}, store.PerMinute.Count())
	if err != nil {
		return nil, err
	}
	if err := q.look(ctx, &data); err != nil {
		return nil, err
	}
	slices.SortStableFunc(data.Troubles, func(a, b trouble) int {
		return cmp.Or(a.rank-b.rank, b.Stats.Pending-a.Stats.Pending)
	})
	if len(data.Troubles) > maxAttention {
		data.More = len(data.Troubles) - maxAttention
		data.Troubles = data.Troubles[:maxAttention]
	}
	slices.SortStableFunc(data.Busiest, func(a, b webhook) int {
		return b.Stats.Pending - a.Stats.Pending
	})
	data.Busiest = data.Busiest[:min(len(data.Busiest), 5)]
	err = atOnce(len(data.Troubles), func(i int) error {
		return q.addHistory(ctx, &data.Troubles[i].webhook)
	})
	if err != nil {
		return nil, err
	}
	return &view{template: "overview", title: "Overview", data: data, live: true}, nil
}

// look goes through the webhooks for what needs attention, for readBudget and at least one page.
func (q *request) look(ctx context.Context, data *overviewPage) error {
	end := time.Now().Add(readBudget)
	query := store.SubscriptionQuery{AnyTenant: true, Limit: pageSize}
	for {
		page, err := q.d.Subscriptions(ctx, query)
		if err != nil {
			return err
		}
		rows := make([]webhook, len(page.Items))
		err = atOnce(len(rows), func(i int) (err error) {
			rows[i], err = q.newWebhook(ctx, &page.Items[i])
			return err
		})
		if err != nil {
			return err
		}
		data.Looked += len(rows)
		for i, w := range rows {
			if t, bad := troubleOf(&page.Items[i], w); bad {
				data.Troubles = append(data.Troubles, t)
			}
			if w.Stats.Pending > 0 {
				data.Busiest = append(data.Busiest, w)
			}
		}
		if page.Next == "" {
			data.Complete = true
			return nil
		}
		if time.Now().After(end) {
			return nil
		}
		query.Cursor = page.Next
	}
}

// troubleOf says why a webhook needs attention.
func troubleOf(sub *store.Subscription, w webhook) (trouble, bool) {
	day := w.Stats.Day
	tried := day.Delivered + day.Failed
	late := !w.Stats.OldestPending.IsZero() && time.Since(w.Stats.OldestPending) > lateAfter
	switch {
	case sub.SealedWith != "":
		return trouble{w, "nothing can be sent to it", 0}, true
	case sub.Disabled() && time.Since(sub.UpdatedAt) < 24*time.Hour:
		return trouble{w, "disabled " + show.Ago(sub.UpdatedAt), 1}, true
	case sub.Status != store.Subscribed:
		return trouble{}, false
	case w.Stats.Breaker == dispatcher.BreakerOpen:
		return trouble{w, "failing for " + show.Span(time.Since(w.Stats.FailingSince)), 2}, true
	case late:
		return trouble{w, "oldest pending " + show.Ago(w.Stats.OldestPending), 3}, true
	case tried >= enoughTried && day.SuccessRate() < goodSuccess:
		return trouble{w, show.Percent(day.SuccessRate()) + " of 24 h succeeded", 4}, true
	}
	return trouble{}, false
}

package read

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

const (
	maxAttention = 15 // webhooks that need attention on one page
	maxBusiest   = 5  // webhooks with the most pending
)

// Trouble is a webhook that needs attention.
type Trouble struct {
	Webhook
	Why  string
	rank int
}

// Overview is how the whole is, and what needs attention, worst first.
type Overview struct {
	dispatcher.Stats
	Troubles   []Trouble
	More       int // troubles that are not shown
	Looked     int // webhooks that were looked at
	Busiest    []Webhook
	Hour       show.Chart
	Complete   bool // all were looked at
	OldestLate bool
}

// Overview reads how the whole is. It is for a sender who sees every tenant.
func (r *Reader) Overview(ctx context.Context) (Overview, error) {
	stats, err := r.D.Stats(ctx)
	if err != nil {
		return Overview{}, err
	}
	o := Overview{Stats: stats}
	o.OldestLate = !stats.OldestPending.IsZero() && time.Since(stats.OldestPending) > lateAfter
	o.Hour, err = r.chart(ctx,
		store.FiguresQuery{AnyTenant: true, Per: store.PerMinute}, store.PerMinute.Count())
	if err != nil {
		return o, err
	}
	if err := r.look(ctx, &o); err != nil {
		return o, err
	}
	slices.SortStableFunc(o.Troubles, func(a, b Trouble) int {
		return cmp.Or(a.rank-b.rank, b.Stats.Pending-a.Stats.Pending)
	})
	if len(o.Troubles) > maxAttention {
		o.More = len(o.Troubles) - maxAttention
		o.Troubles = o.Troubles[:maxAttention]
	}
	slices.SortStableFunc(o.Busiest, func(a, b Webhook) int {
		return b.Stats.Pending - a.Stats.Pending
	})
	o.Busiest = o.Busiest[:min(len(o.Busiest), maxBusiest)]
	rows := make([]*Webhook, len(o.Troubles))
	for i := range o.Troubles {
		rows[i] = &o.Troubles[i].Webhook
	}
	return o, r.addHistory(ctx, rows)
}

// look goes through the webhooks for what needs attention, for Budget and at least one page.
func (r *Reader) look(ctx context.Context, o *Overview) error {
	end := time.Now().Add(Budget)
	query := r.WebhookScope("")
	for {
		page, err := r.D.Subscriptions(ctx, query)
		if err != nil {
			return err
		}
		rows, err := r.webhooks(ctx, page.Items)
		if err != nil {
			return err
		}
		o.Looked += len(rows)
		for i, w := range rows {
			if t, bad := troubleOf(&page.Items[i], w); bad {
				o.Troubles = append(o.Troubles, t)
			}
			if w.Stats.Pending > 0 {
				o.Busiest = append(o.Busiest, w)
			}
		}
		if page.Next == "" {
			o.Complete = true
			return nil
		}
		if time.Now().After(end) {
			return nil
		}
		query.Cursor = page.Next
	}
}

// troubleOf says why a webhook needs attention.
func troubleOf(sub *store.Subscription, w Webhook) (Trouble, bool) {
	day := w.Stats.Day
	late := !w.Stats.OldestPending.IsZero() && time.Since(w.Stats.OldestPending) > lateAfter
	switch {
	case sub.SealedWith != "":
		return Trouble{w, "nothing can be sent to it", 0}, true
	case sub.Disabled() && time.Since(sub.UpdatedAt) < 24*time.Hour:
		return Trouble{w, "disabled " + show.Ago(sub.UpdatedAt), 1}, true
	case sub.Status != store.Subscribed:
		return Trouble{}, false
	case w.Stats.Breaker == dispatcher.BreakerOpen:
		return Trouble{w, "failing for " + show.Span(time.Since(w.Stats.FailingSince)), 2}, true
	case late:
		return Trouble{w, "oldest pending " + show.Ago(w.Stats.OldestPending), 3}, true
	case w.Tried() >= enoughTried && day.SuccessRate() < goodSuccess:
		return Trouble{w, show.Percent(day.SuccessRate()) + " of 24 h succeeded", 4}, true
	}
	return Trouble{}, false
}

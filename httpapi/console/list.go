package console

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/outhook/outhook/httpapi/console/internal/form"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/store"
)

// listPage is the data of the page of webhooks.
type listPage struct {
	Webhooks       []webhook
	Total          int
	Tenant, State  string
	Type, Text     string
	Label, Problem string
	States         []string
	Filtered       bool
	Short          bool   // only a part was searched
	Next, Previous string // URLs
}

// shows reports whether the list has a webhook that the store has found for it.
func (p *listPage) shows(w *webhook) bool { return p.State == "" || w.State.Word == p.State }

// list shows webhooks, oldest first.
func (q *request) list() (*view, error) {
	data := listPage{
		State: q.form.Get("state"), Type: q.form.Get("type"), Text: q.form.Get("text"),
		Label: q.form.Get("label"), States: show.WebhookStates(),
	}
	query := store.SubscriptionQuery{
		Tenant: q.access.Tenant, Cursor: q.form.Get("cursor"), Limit: pageSize,
		EventType: data.Type, Text: data.Text,
	}
	if query.Metadata, data.Problem = form.ReadLabel(data.Label); data.Problem != "" {
		data.Label = ""
	}
	if q.access.AnyTenant {
		data.Tenant = q.form.Get("tenant")
		query.Tenant, query.AnyTenant = data.Tenant, data.Tenant == ""
	}
	if !slices.Contains(data.States, data.State) {
		data.State = ""
	}
	query.Statuses = show.Statuses(data.State)
	data.Filtered = query.Filtered() || data.State != ""
	if err := q.fillList(&data, query); err != nil {
		return nil, err
	}
	return &view{template: "list", title: "Webhooks", data: data, live: true}, nil
}

// fillList reads a page of webhooks. A filter may select few, and the store does not know all
// states: so it goes on for readBudget, or until there are as many as a page has.
func (q *request) fillList(data *listPage, query store.SubscriptionQuery) error {
	ctx, end := q.r.Context(), time.Now().Add(readBudget)
	for first := true; ; first = false {
		page, err := q.d.Subscriptions(ctx, query)
		if err != nil {
			return err
		}
		rows := make([]webhook, len(page.Items))
		err = atOnce(len(rows), func(i int) (err error) {
			rows[i], err = q.newWebhook(ctx, &page.Items[i])
			if err == nil && data.shows(&rows[i]) {
				err = q.addHistory(ctx, &rows[i])
			}
			return err
		})
		if err != nil {
			return err
		}
		for i := range rows {
			if data.shows(&rows[i]) {
				data.Webhooks = append(data.Webhooks, rows[i])
			}
		}
		if first {
			data.Total, data.Previous = page.Total, q.cursorURL(page.Previous)
		}
		data.Next = q.cursorURL(page.Next)
		switch {
		case page.Next == "" || len(data.Webhooks) >= pageSize:
			return nil
		case time.Now().After(end):
			data.Short = true
			return nil
		}
		query.Cursor = page.Next
	}
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

// addHistory adds the bars of a day and the last attempt. Of a webhook without attempts it reads
// nothing more.
func (q *request) addHistory(ctx context.Context, w *webhook) error {
	if w.Tried() > 0 {
		figures, err := q.d.Figures(ctx,
			store.FiguresQuery{SubscriptionID: w.ID, Per: store.PerHour})
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return err
		}
		w.Spark = show.NewSpark(&figures)
	}
	return q.addLastAttempt(ctx, w)
}

// addLastAttempt adds when the last attempt was, and whether it failed.
func (q *request) addLastAttempt(ctx context.Context, w *webhook) error {
	if w.Stats.New && w.Stats.FailingSince.IsZero() {
		return nil
	}
	if !w.Stats.FailingSince.IsZero() { // the last one that was no success, and none was since
		w.LastAt, w.LastFailed = w.Stats.FailingSince.Add(w.Stats.FailingFor), true
		return nil
	}
	page, err := q.d.Deliveries(ctx, store.DeliveryQuery{
		Tenant: w.Tenant, SubscriptionID: w.ID, States: []store.State{store.Delivered}, Limit: 1,
	})
	if err == nil && len(page.Items) > 0 {
		w.LastAt = page.Items[0].FinishedAt
	}
	return err
}

// together is how many webhooks are read at once for a list.
const together = 8

// atOnce calls read for each number below n, some of them at the same time: in a database, what a
// row of a list needs takes a few round trips.
func atOnce(n int, read func(i int) error) error {
	errs := make([]error, n)
	var next atomic.Int64
	var readers sync.WaitGroup
	for range min(together, n) {
		readers.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				errs[i] = guarded(read, i)
			}
		})
	}
	readers.Wait()
	return errors.Join(errs...)
}

// guarded is read, but a panic is an error: it is in a goroutine of the console's, so that no
// server of the host's can recover from it.
func guarded(read func(i int) error, i int) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("console: a panic: %v", p)
		}
	}()
	return read(i)
}

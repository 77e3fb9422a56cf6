package read

import (
	"cmp"
	"context"
	"time"

	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/store"
)

// Deliveries returns a page of a query that begins with Scope. A store passes over so many records
// in one call and no more; so that a filter that selects few is not a page for every few thousand,
// it is asked again until the page is full or Budget is over.
func (r *Reader) Deliveries(
	ctx context.Context, query store.DeliveryQuery,
) (store.Page[store.Delivery], error) {
	end := time.Now().Add(Budget)
	query.Limit = PageSize
	page, err := r.D.Deliveries(ctx, query)
	query.Count = false // it was counted at once, or not at all
	for err == nil && page.Next != "" && len(page.Items) < PageSize && time.Now().Before(end) {
		query.Cursor, query.Limit = page.Next, PageSize-len(page.Items)
		var more store.Page[store.Delivery]
		more, err = r.D.Deliveries(ctx, query)
		page.Items = append(page.Items, more.Items...)
		page.Next, page.SearchedTo = more.Next, more.SearchedTo
	}
	return page, err
}

// NameWebhooks gives rows the names of their webhooks. One that can't be read keeps its ID.
func (r *Reader) NameWebhooks(ctx context.Context, rows []show.Row) {
	names := make(map[string]string)
	for i := range rows {
		id := rows[i].SubscriptionID
		name, known := names[id]
		if !known {
			if sub, err := r.Subscription(ctx, id); err == nil {
				name = Name(&sub)
			}
			names[id] = name
		}
		rows[i].Webhook = cmp.Or(name, rows[i].Webhook)
	}
}

// Name returns what a webhook is called: by its owner, or its URL without the query.
func Name(sub *store.Subscription) string {
	return text.Line(cmp.Or(sub.Name, show.URL(sub.URL)))
}

package catalogue

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// sliceSize is how many subscriptions a search reads in one transaction.
const sliceSize = 500

// filtered returns a page of the subscriptions that the filters of a query select.
//
// What they select is decided here and not by the server: its lower() goes by the collation of the
// database, and in "C" knows ASCII alone, so that a search would find other subscriptions than in
// other stores. The search reads five columns; the rest is read of what is on the page.
func (c *Catalogue) filtered(
	ctx context.Context, q *store.SubscriptionQuery,
) (found store.Page[store.Subscription], err error) {
	selected, err := c.search(ctx, q).Within(page.BudgetOf(ctx)).Page(q.Cursor, page.LimitOrAll(q), 0)
	if err != nil {
		return found, err
	}
	found = store.Page[store.Subscription]{
		Next: selected.Next, Previous: selected.Previous, TotalIsLowerBound: true,
	}
	if len(selected.Items) == 0 {
		return found, nil
	}
	err = c.DB.Read(ctx, sqltx.Plain, func(b *sqltx.Batch) {
		columns, _, _ := strings.Cut(c.SQL.ListSubscriptions, "\nWHERE ")
		b.Queue(columns+"\nWHERE s.num = ANY ($1::bigint[]) ORDER BY s.num", selected.Items).Query(
			func(rows pgx.Rows) error {
				return sqltx.Collect(rows, read, func(sub record.Subscription) bool {
					if q.Selects(&sub.Subscription) { // it may have changed since the search
						found.Items = append(found.Items, sub.Subscription)
					}
					return true
				})
			})
	})
	return found, err
}

// candidate is what a search reads of a subscription.
type candidate struct {
	num int64
	sub store.Subscription
}

// search returns a walk of the numbers of the subscriptions that the filters select.
func (c *Catalogue) search(ctx context.Context, q *store.SubscriptionQuery) page.Walk[int64] {
	return func(
		from page.Cursor, budget int, visit func(page.Position, *int64) bool,
	) (gaveUp *page.Position, err error) {
		began, passed := from, 0
		for more := true; more; {
			// A caller that goes on from where the walk gave up must come further than it did.
			if passed >= budget && from != began {
				return &from.At, nil
			}
			slice, err := c.candidates(ctx, q, from)
			if err != nil {
				return nil, err
			}
			for i := range slice {
				at := page.Position{Num: uint64(slice[i].num)}
				if !q.Selects(&slice[i].sub) {
					passed++
				} else if !visit(at, &slice[i].num) {
					return nil, nil
				}
				from = from.Pass(at)
			}
			more = len(slice) == sliceSize
		}
		return nil, nil
	}
}

// candidates reads the next few subscriptions that a cursor reaches.
func (c *Catalogue) candidates(
	ctx context.Context, q *store.SubscriptionQuery, from page.Cursor,
) (slice []candidate, err error) {
	statement, args := c.page(q, from, sliceSize)
	_, rest, _ := strings.Cut(statement, "\nFROM ")
	err = c.DB.Read(ctx, sqltx.Plain, func(b *sqltx.Batch) {
		b.Queue("SELECT s.num, s.name, s.url, s.events, s.status, s.settings FROM "+rest, args...).Query(
			func(rows pgx.Rows) error {
				return sqltx.Collect(rows, readCandidate, func(x candidate) bool {
					slice = append(slice, x)
					return true
				})
			})
	})
	return slice, err
}

func readCandidate(row pgx.CollectableRow) (x candidate, err error) {
	var few *record.OwnerSettings
	err = row.Scan(&x.num, &x.sub.Name, &x.sub.URL, &x.sub.Events, &x.sub.Status, &few)
	few.SetOn(&x.sub)
	return x, err
}

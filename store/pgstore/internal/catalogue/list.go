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

// List returns a page of subscriptions. The caller has validated the query.
//
// Subscriptions are listed in the order in which they were created: num rises, and is not used
// again when an ID is. So a page stays stable while others create and delete.
func (c *Catalogue) List(
	ctx context.Context, q *store.SubscriptionQuery,
) (found store.Page[store.Subscription], err error) {
	if q.Filtered() {
		return c.filtered(ctx, q)
	}
	col, err := page.Collect[record.Subscription](q.Cursor, page.LimitOrAll(q), 0)
	if err != nil {
		return found, err
	}
	total, more := 0, false
	// One transaction, but each statement has a snapshot of its own: the total may differ by what
	// was committed in between.
	err = c.DB.Read(ctx, sqltx.Plain, func(b *sqltx.Batch) {
		here, args := c.page(q, col.Cursor(), col.Fetch())
		b.Queue(here, args...).Query(func(rows pgx.Rows) error {
			return sqltx.Collect(rows, read, func(sub record.Subscription) bool {
				return col.Add(page.Position{Num: uint64(sub.Num)}, &sub)
			})
		})
		// One row is enough to say that there is a page on that side.
		if other, ok := col.Other(); ok {
			there, args := c.page(q, other, 1)
			b.Queue(there, args...).Query(sqltx.Any(&more))
		}
		b.Queue(c.count(), q.AnyTenant, q.Tenant).QueryRow(sqltx.One(&total))
	})
	if err != nil {
		return found, err
	}
	found = page.Map(col.Page(more), func(sub *record.Subscription) store.Subscription {
		return sub.Subscription
	})
	found.Total = total
	return found, nil
}

// page returns the statement for at most limit subscriptions that a cursor reaches.
func (c *Catalogue) page(
	q *store.SubscriptionQuery, from page.Cursor, limit int,
) (sql string, args []any) {
	sql = c.SQL.ListSubscriptions
	if from.Back {
		// The boundary belongs to the page that follows it, so going back it is left out. A
		// statement of its own would repeat the columns.
		sql = strings.NewReplacer(">= $3", "< $3", "ORDER BY s.num", "ORDER BY s.num DESC").Replace(sql)
	}
	most := any(limit)
	if limit == 0 {
		most = nil // NULL is no limit
	}
	return sql, []any{q.AnyTenant, q.Tenant, int64(from.At.Num), most}
}

// count returns the statement that counts subscriptions. It is made of the listing's, so that both
// have the same condition on the tenant.
func (c *Catalogue) count() string {
	_, from, _ := strings.Cut(c.SQL.ListSubscriptions, "\nFROM ")
	from, _, _ = strings.Cut(from, " AND s.num")
	return "SELECT count(*) FROM " + from
}

func read(row pgx.CollectableRow) (sub record.Subscription, err error) {
	err = sub.Scan(row)
	return sub, err
}

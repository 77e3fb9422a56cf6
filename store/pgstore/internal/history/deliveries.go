package history

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// Deliveries returns a page of the deliveries that match. The caller has validated the query.
func (h *History) Deliveries(
	ctx context.Context, q *store.DeliveryQuery,
) (found store.Page[store.Delivery], err error) {
	l, err := h.list(ctx, q, true)
	if err != nil {
		return found, err
	}
	found = page.Map(l.Page(l.other), func(d *listed) store.Delivery { return d.Delivery })
	// It stays 0 unless the query asks for a count, which takes time for each that matches.
	found.Total = l.total
	return found, nil
}

// listed is a delivery in a list. Its numbers are what a cursor holds; nobody outside of the store
// sees them.
type listed struct {
	seq, sub int64
	store.Delivery
}

// Event first: the list is in the order of events, and within one in that of subscriptions.
func (d *listed) position() page.Position {
	return page.Position{Seq: uint64(d.seq), Num: uint64(d.sub)}
}

// listing is one page of deliveries. It has the positions of the deliveries too, by which Requeue
// names what it changes.
type listing struct {
	*page.Collector[listed]
	other bool // there is something on the other side of the page's boundary
	total int  // how many match on all pages, if that was asked for
}

// list reads one page. Only if it is to look around does it look for what comes before the page:
// that may be far to read, and what takes steps in one direction would pass again all it has
// passed.
func (h *History) list(
	ctx context.Context, q *store.DeliveryQuery, around bool,
) (l listing, err error) {
	// A bad cursor ends the call before it has asked the server anything.
	l.Collector, err = page.Collect[listed](q.Cursor, page.Limit(q.Limit), store.DefaultDeliveryLimit)
	if err != nil {
		return l, err
	}
	f := newFilter(h.SQL, q)
	// One more than the page has: that one says that there are more.
	here, args := f.page(l.Cursor(), l.Fetch())
	// ByIndex: the planner must not sort a table for a page of it because its statistics are old.
	err = h.DB.Read(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
		b.Queue(here, args...).Query(func(rows pgx.Rows) error {
			return sqltx.Collect(rows, readListed, func(d listed) bool { return l.Add(d.position(), &d) })
		})
		if other, ok := l.Other(); ok && around {
			there, args := f.page(other, 1)
			b.Queue(there, args...).Query(sqltx.Any(&l.other))
		}
		// A count beside the page is the same conditions without limit and order.
		if q.Count {
			b.Queue(f.count(), f.args...).QueryRow(sqltx.One(&l.total))
		}
	})
	return l, err
}

// Its columns are those that listall.sql, listrows.sql and listimplicit.sql have in common.
func readListed(row pgx.CollectableRow) (d listed, err error) {
	var state int16
	// NULL where the state has none: only what is pending is due, only what is over was finished.
	var due, finished *time.Time
	err = row.Scan(&d.seq, &d.sub, &d.SubscriptionID, &d.EventID, &d.EventType, &d.Tenant, &state,
		&d.Attempts, &d.CreatedAt, &due, &finished, &d.LastStatus, &d.LastError, &d.Erased)
	d.State, d.CreatedAt = record.States[state], d.CreatedAt.UTC()
	d.DueAt, d.FinishedAt = record.Time(due), record.Time(finished)
	return d, err
}

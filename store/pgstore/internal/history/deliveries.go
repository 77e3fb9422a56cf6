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
	found.Total = l.total
	return found, nil
}

// listed is a delivery in a list.
type listed struct {
	seq, sub int64
	store.Delivery
}

func (d *listed) position() page.Position {
	return page.Position{Seq: uint64(d.seq), Num: uint64(d.sub)}
}

// listing is one page of deliveries.
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
	l.Collector, err = page.Collect[listed](q.Cursor, page.Limit(q.Limit), store.DefaultDeliveryLimit)
	if err != nil {
		return l, err
	}
	f := newFilter(h.SQL, q)
	here, args := f.page(l.Cursor(), l.Fetch())
	err = h.DB.Read(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
		b.Queue(here, args...).Query(func(rows pgx.Rows) error {
			return sqltx.Collect(rows, readListed, func(d listed) bool { return l.Add(d.position(), &d) })
		})
		if other, ok := l.Other(); ok && around {
			there, args := f.page(other, 1)
			b.Queue(there, args...).Query(sqltx.Any(&l.other))
		}
		if q.Count {
			b.Queue(f.count(), f.args...).QueryRow(sqltx.One(&l.total))
		}
	})
	return l, err
}

func readListed(row pgx.CollectableRow) (d listed, err error) {
	var state int16
	var due, finished *time.Time
	err = row.Scan(&d.seq, &d.sub, &d.SubscriptionID, &d.EventID, &d.EventType, &d.Tenant, &state,
		&d.Attempts, &d.CreatedAt, &due, &finished, &d.LastStatus, &d.LastError, &d.Erased)
	d.State, d.CreatedAt = record.States[state], d.CreatedAt.UTC()
	d.DueAt, d.FinishedAt = record.Time(due), record.Time(finished)
	return d, err
}

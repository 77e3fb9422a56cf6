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
	shown := l.Page(l.other)
	if err := h.explain(ctx, shown.Items); err != nil {
		return found, err
	}
	found = page.Map(shown, func(d *listed) store.Delivery { return d.Delivery })
	// It stays 0 unless the query asks for a count.
	found.Total, found.TotalIsLowerBound = l.total, l.more
	found.SearchedTo = l.searched
	return found, nil
}

// listed is a delivery in a list. Its numbers are what a cursor holds; nobody outside of the store
// sees them.
type listed struct {
	seq, sub int64
	store.Delivery
	place   int64 // of a pending one: its due as the row has it
	behind  bool  // an earlier one of its key is pending
	stopped bool  // it is no delivery, but how far the search has come: CreatedAt and the numbers
}

// Event first: the list is in the order of events, and within one in that of subscriptions.
func (d *listed) position() page.Position {
	return page.Position{Seq: uint64(d.seq), Num: uint64(d.sub)}
}

// listing is one page of deliveries. It has the positions of the deliveries too, by which Requeue
// names what it changes.
type listing struct {
	*page.Collector[listed]
	other bool // there is something on the other side of the page's boundary, or may be
	total int  // how many match on all pages, if that was asked for
	more  bool // there are more, or may be

	searched time.Time // see store.Page.SearchedTo
}

// add takes in what a search has found, or where it has stopped.
func (l *listing) add(d listed) bool {
	if d.stopped {
		l.Stop(l.Cursor().Pass(d.position()).At)
		l.searched = d.CreatedAt
		return false
	}
	return l.Add(d.position(), &d)
}

// list reads one page. Only if it is to look around does it look for what comes before the page:
// that may be far to read, and what takes steps in one direction would pass again all it has
// passed.
func (h *History) list(
	ctx context.Context, q *store.DeliveryQuery, around bool,
) (l listing, err error) {
	// A bad cursor ends the call before it has asked the server anything.
	l.Collector, err = page.Collect[listed](page.First(q.Cursor, q.Last), page.Limit(q.Limit),
		store.DefaultDeliveryLimit)
	if err != nil {
		return l, err
	}
	leave, err := h.takeTurn(ctx)
	if err != nil {
		return l, err
	}
	defer leave()
	f := newFilter(h.Schema, h.SQL, q)
	most := min(look, page.BudgetOf(ctx))
	here, args := f.first(l.Cursor(), l.Fetch(), most)
	// ByIndex: the planner must not sort a table for a page of it because its statistics are old.
	err = h.DB.Read(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
		b.Queue(here, args...).Query(func(rows pgx.Rows) error {
			return sqltx.Collect(rows, readListed, l.add)
		})
		if other, ok := l.Other(); ok && around {
			there, args := f.page(f.search(other, 1, most/10), 1)
			b.Queue(there, args...).Query(sqltx.Any(&l.other))
		}
		if q.Count {
			count, args := f.count(f.search(page.Cursor{At: page.Start()}, store.MaxTotal+1, most),
				store.MaxTotal)
			b.Queue(count, args...).QueryRow(sqltx.One(&l.total, &l.more))
		}
	})
	if l.total > store.MaxTotal {
		l.total, l.more = store.MaxTotal, true
	}
	return l, err
}

// takeTurn waits until a page may be read: readers wait for each other, and leave most of the pool,
// and of the server, to those who publish and deliver. It waits no longer than a transaction may
// take. The caller must call leave.
func (h *History) takeTurn(ctx context.Context) (leave func(), err error) {
	waiting, cancel := h.DB.Bound(ctx, sqltx.Bounds{Limit: sqltx.StatementTimeout})
	defer cancel()
	select {
	case h.turns <- struct{}{}:
		return func() { <-h.turns }, nil
	case <-waiting.Done():
		return nil, context.Cause(waiting)
	}
}

// first returns the query for a page, which looks at so many for each source. n is one more than
// the page has: that one says that there are more.
func (f *filter) first(from page.Cursor, n, most int) (query string, args []any) {
	return f.page(f.search(from, n, most), n)
}

// PageStatement returns the statement that reads the first page of a query, for those who look at
// its plan: of the newest, or with back of the oldest, as Requeue reads it. The query has a limit.
func (h *History) PageStatement(q *store.DeliveryQuery, back bool) (query string, args []any) {
	from := page.Cursor{At: page.Start()}
	if back {
		from = page.Cursor{At: page.End(), Back: true}
	}
	return newFilter(h.Schema, h.SQL, q).first(from, q.Limit+1, look)
}

// Its columns are those of listed.sql.
func readListed(row pgx.CollectableRow) (d listed, err error) {
	var state int16
	// NULL where the state has none: only what is pending is due, only what is over was finished.
	var due, finished *time.Time
	var w record.Window
	err = row.Scan(&d.seq, &d.sub, &d.SubscriptionID, &d.EventID, &d.EventType, &d.Tenant, &d.Key,
		&state, &d.Attempts, &d.CreatedAt, &due, &finished, &d.LastStatus, &d.LastError, &d.Erased,
		&d.place, &d.behind, &w.NotBefore, &w.ExpiresAt, &d.stopped)
	d.State, d.CreatedAt = record.States[state], d.CreatedAt.UTC()
	d.DueAt, d.FinishedAt = record.Time(due), record.Time(finished)
	w.Of(&d.NotBefore, &d.ExpiresAt)
	return d, err
}

package pgstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
)

// Deliveries implements [store.History].
func (s *Store) Deliveries(
	ctx context.Context, q store.DeliveryQuery,
) (store.Page[store.Delivery], error) {
	l, err := s.list(ctx, &q, true)
	if err != nil {
		return store.Page[store.Delivery]{}, fmt.Errorf("pgstore: deliveries: %w", err)
	}
	found := page.Map(l.Page(l.other), func(d *listed) store.Delivery { return d.Delivery })
	found.Total = l.total
	return found, nil
}

// listed is a delivery in a listing.
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

// list reads one page. Unless it is to look around, it does not look for what comes before the
// page, which may be far to read: what takes steps in one direction would pass again all it has
// passed.
func (s *Store) list(
	ctx context.Context, q *store.DeliveryQuery, around bool,
) (l listing, err error) {
	if err := q.Validate(); err != nil {
		return l, err
	}
	if err := s.begin(ctx); err != nil {
		return l, err
	}
	l.Collector, err = page.Collect[listed](q.Cursor, page.Limit(q.Limit), store.DefaultDeliveryLimit)
	if err != nil {
		return l, err
	}
	f := s.filter(q)
	here, args := f.page(l.Cursor(), l.Fetch())
	err = s.read(ctx, indexSettings, func(b *batch) {
		b.Queue(here, args...).Query(func(rows pgx.Rows) error {
			return collect(rows, l.Collector, readListed, (*listed).position)
		})
		if other, ok := l.Other(); ok && (around || l.Cursor().Back) {
			there, args := f.page(other, 1)
			b.Queue(there, args...).Query(func(rows pgx.Rows) error { return anyRow(rows, &l.other) })
		}
		if q.Count {
			b.Queue(f.count(), f.args...).QueryRow(func(row pgx.Row) error { return row.Scan(&l.total) })
		}
	})
	return l, err
}

func readListed(row pgx.CollectableRow) (d listed, err error) {
	var due, finished *time.Time
	err = row.Scan(&d.seq, &d.sub, &d.SubscriptionID, &d.EventID, &d.EventType, &d.Tenant, &d.State,
		&d.Attempts, &d.CreatedAt, &due, &finished, &d.LastStatus, &d.LastError, &d.Erased)
	d.CreatedAt, d.DueAt, d.FinishedAt = d.CreatedAt.UTC(), orZero(due), orZero(finished)
	return d, err
}

// filter is a query of deliveries in SQL: a listing of what is pending or was not yet moved to the
// history, and one of the history.
type filter struct {
	queue, history string // without what they have in common; empty if none of theirs can match
	where          []string
	args           []any
}

func (f *filter) add(condition string, arg any) {
	f.args = append(f.args, arg)
	f.where = append(f.where, strings.ReplaceAll(condition, "?", fmt.Sprintf("$%d", len(f.args))))
}

func (s *Store) filter(q *store.DeliveryQuery) *filter {
	f := &filter{queue: s.sql.queueListing, history: s.sql.historyListing}
	if !q.AnyTenant {
		f.add("e.tenant = ?", plain(q.Tenant))
	}
	if q.SubscriptionID != "" {
		f.add("s.id = ?", plain(q.SubscriptionID))
	}
	if q.EventID != "" {
		f.add("e.id = ?", plain(q.EventID))
	}
	if q.EventType != "" {
		f.add("e.type = ?", plain(q.EventType))
	}
	if !q.Since.IsZero() {
		f.add("e.enqueued_at >= ?", inRange(q.Since))
	}
	if !q.Until.IsZero() {
		f.add("e.enqueued_at < ?", inRange(q.Until))
	}
	if len(q.States) > 0 {
		f.states(q.States)
	}
	return f
}

// states restricts the listings, each of which has its own way to say what state a delivery is in.
func (f *filter) states(states []store.State) {
	var names []string
	var pending, canceled bool
	for _, state := range states {
		names = append(names, plain(string(state)))
		pending, canceled = pending || state == store.Pending, canceled || state == store.Canceled
	}
	f.args = append(f.args, names)
	f.history += fmt.Sprintf("WHERE q.state = ANY ($%d::text[])", len(f.args))
	switch {
	case pending && !canceled:
		f.queue += fmt.Sprintf("WHERE q.epoch = s.epoch AND $%d::text[] IS NOT NULL", len(f.args))
	case canceled && !pending:
		f.queue += fmt.Sprintf("WHERE q.epoch <> s.epoch AND $%d::text[] IS NOT NULL", len(f.args))
	case !pending && !canceled:
		f.queue = ""
	}
}

// page returns the query for at most limit deliveries that a cursor reaches, the nearest first.
func (f *filter) page(from page.Cursor, limit int) (query string, args []any) {
	n := len(f.args)
	args = append(f.args[:n:n], limit)
	condition, order, orderOfPart := "", "seq DESC, sub", "q.seq DESC, q.sub"
	switch {
	case from.Back:
		order, orderOfPart = "seq, sub DESC", "q.seq, q.sub DESC"
		condition = fmt.Sprintf("q.seq >= $%d AND (q.seq > $%[1]d OR q.sub < $%d)", n+2, n+3)
	case from.At != page.Start():
		condition = fmt.Sprintf("q.seq <= $%d AND (q.seq < $%[1]d OR q.sub >= $%d)", n+2, n+3)
	}
	if condition != "" {
		args = append(args, int64(from.At.Seq), int64(from.At.Num))
	}
	var parts []string
	for _, listing := range f.listings() {
		q := with(listing, append([]string{condition}, f.where...))
		parts = append(parts, fmt.Sprintf("(%s ORDER BY %s LIMIT $%d)", q, orderOfPart, n+1))
	}
	all := strings.Join(parts, " UNION ALL ")
	return fmt.Sprintf("SELECT * FROM (%s) d ORDER BY %s LIMIT $%d", all, order, n+1), args
}

// count returns the query for how many there are on all pages.
func (f *filter) count() string {
	var parts []string
	for _, listing := range f.listings() {
		_, from, _ := strings.Cut(with(listing, f.where), "\nFROM ")
		parts = append(parts, "(SELECT count(*) FROM "+from+")")
	}
	return "SELECT " + strings.Join(parts, " + ")
}

func (f *filter) listings() []string {
	if f.queue == "" {
		return []string{f.history}
	}
	return []string{f.queue, f.history}
}

// with adds conditions to a query that may have one already.
func with(query string, conditions []string) string {
	joint := "\nWHERE "
	if strings.Contains(query, "WHERE ") {
		joint = "\nAND "
	}
	for _, c := range conditions {
		if c != "" {
			query += joint + c
			joint = "\nAND "
		}
	}
	return query
}

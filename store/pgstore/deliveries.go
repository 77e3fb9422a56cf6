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
		if other, ok := l.Other(); ok && around {
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
	var state int16
	var due, finished *time.Time
	err = row.Scan(&d.seq, &d.sub, &d.SubscriptionID, &d.EventID, &d.EventType, &d.Tenant, &state, &d.Attempts,
		&d.CreatedAt, &due, &finished, &d.LastStatus, &d.LastError, &d.Erased)
	d.State = states[state]
	d.CreatedAt, d.DueAt, d.FinishedAt = d.CreatedAt.UTC(), orZero(due), orZero(finished)
	return d, err
}

// filter is a query of deliveries in SQL. Those of one subscription are its rows, and what is
// pending of it without one; those of all are found by walking the events.
type filter struct {
	sources []source
	where   []string
	args    []any
}

// source is a part of a listing, and what its events' numbers and its subscriptions' are called.
type source struct{ sql, seq, sub string }

func (f *filter) add(condition string, arg any) {
	f.args = append(f.args, arg)
	f.where = append(f.where, strings.ReplaceAll(condition, "?", fmt.Sprintf("$%d", len(f.args))))
}

func (s *Store) filter(q *store.DeliveryQuery) *filter {
	f := &filter{sources: []source{{s.sql.ListAll, "e.seq", "s.num"}}}
	if q.SubscriptionID != "" {
		f.sources = []source{{s.sql.ListRows, "d.seq", "d.sub"}, {s.sql.ListImplicit, "e.seq", "s.num"}}
		f.add("s.id = ?", plain(q.SubscriptionID))
	}
	if !q.AnyTenant {
		f.add("e.tenant = ?", plain(q.Tenant))
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
		var numbers []int16
		for _, state := range q.States {
			numbers = append(numbers, stateNumber(state))
		}
		f.add("x.state = ANY (?::smallint[])", numbers)
	}
	return f
}

// page returns the query for at most limit deliveries that a cursor reaches, the nearest first.
func (f *filter) page(from page.Cursor, limit int) (query string, args []any) {
	n := len(f.args)
	args = append(f.args[:n:n], limit)
	condition, order := "", "seq DESC, sub"
	switch {
	case from.Back:
		order = "seq, sub DESC"
		condition = fmt.Sprintf("SEQ >= $%d AND (SEQ > $%[1]d OR SUB < $%d)", n+2, n+3)
	case from.At != page.Start():
		condition = fmt.Sprintf("SEQ <= $%d AND (SEQ < $%[1]d OR SUB >= $%d)", n+2, n+3)
	}
	if condition != "" {
		args = append(args, int64(from.At.Seq), int64(from.At.Num))
	}
	var parts []string
	for _, src := range f.sources {
		part := src.with(append([]string{condition}, f.where...)) + " ORDER BY " + strings.NewReplacer("seq", src.seq, "sub", src.sub).Replace(order)
		parts = append(parts, fmt.Sprintf("(%s LIMIT $%d)", src.named(part), n+1))
	}
	return fmt.Sprintf("SELECT * FROM (%s) d ORDER BY %s LIMIT $%d", strings.Join(parts, " UNION ALL "), order, n+1), args
}

// count returns the query for how many there are on all pages.
func (f *filter) count() string {
	var parts []string
	for _, src := range f.sources {
		_, from, _ := strings.Cut(src.with(f.where), "\nFROM ")
		parts = append(parts, "(SELECT count(*) FROM "+from+")")
	}
	return "SELECT " + strings.Join(parts, " + ")
}

// with adds conditions.
func (src *source) with(conditions []string) string {
	text := src.sql
	for _, c := range conditions {
		if c != "" {
			text += " AND " + c
		}
	}
	return text
}

// named says the names of a source's columns.
func (src *source) named(text string) string {
	return strings.NewReplacer("SEQ", src.seq, "SUB", src.sub).Replace(text)
}

package pgstore

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
)

// Deliveries implements [store.History].
func (s *Store) Deliveries(ctx context.Context, q store.DeliveryQuery) (store.Page[store.Delivery], error) {
	page, err := s.deliveries(ctx, q)
	if err != nil {
		return store.Page[store.Delivery]{}, fmt.Errorf("pgstore: deliveries: %w", err)
	}
	return page, nil
}

func (s *Store) deliveries(ctx context.Context, q store.DeliveryQuery) (page store.Page[store.Delivery], err error) {
	l, total, err := s.list(ctx, q, true)
	if err != nil {
		return page, err
	}
	page.Next, page.Previous = l.cursors()
	page.Total = total
	for i := range l.items {
		page.Items = append(page.Items, l.items[i].Delivery)
	}
	return page, nil
}

// listed is a delivery in a listing.
type listed struct {
	seq, sub int64
	store.Delivery
}

func (d *listed) place() place { return place{d.seq, d.sub} }

// list reads one page. Unless it is to look around, it does not look for what comes before the page,
// which may be far to read: what takes steps in one direction would pass again all it has passed.
func (s *Store) list(
	ctx context.Context, q store.DeliveryQuery, around bool,
) (l listing[listed], total int, err error) {
	if err := q.Validate(); err != nil {
		return l, 0, err
	}
	if err := s.begin(ctx); err != nil {
		return l, 0, err
	}
	l = listing[listed]{limit: q.Limit, place: (*listed).place}
	if l.limit == 0 {
		l.limit = store.DefaultDeliveryLimit
	}
	l.limit = min(l.limit, maxPage)
	if l.cursor, err = parseCursor(q.Cursor); err != nil {
		return l, 0, err
	}
	f := s.filter(&q)
	here, args := f.page(l.cursor, l.cursor.back, l.limit+1)
	err = s.read(ctx, indexSettings, func(b *batch) {
		b.Queue(here, args...).Query(func(rows pgx.Rows) error { return l.read(rows, readListed) })
		if l.cursor.set && (around || l.cursor.back) {
			other, args := f.page(l.cursor, !l.cursor.back, 1)
			b.Queue(other, args...).Query(l.readOther)
		}
		if q.Count {
			b.Queue(f.count(), f.args...).QueryRow(func(row pgx.Row) error { return row.Scan(&total) })
		}
	})
	return l, total, err
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

// filter is a query of deliveries in SQL. Those of one subscription are its rows, and what is pending of it without one; those of all are
// found by walking the events.
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

// page returns the query for what comes at and after the cursor, or, when back, for what comes before it, nearest first.
func (f *filter) page(c cursor, back bool, limit int) (query string, args []any) {
	n := len(f.args)
	args = append(f.args[:n:n], limit)
	condition, order := "", "seq DESC, sub"
	if back {
		order = "seq, sub DESC"
		condition = fmt.Sprintf("SEQ >= $%d AND (SEQ > $%[1]d OR SUB < $%d)", n+2, n+3)
	} else if c.set {
		condition = fmt.Sprintf("SEQ <= $%d AND (SEQ < $%[1]d OR SUB >= $%d)", n+2, n+3)
	}
	if condition != "" {
		args = append(args, c.at[0], c.at[1])
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

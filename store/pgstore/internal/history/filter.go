package history

import (
	"fmt"
	"strings"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/schema"
)

// filter is a query of deliveries in SQL. Those of one subscription are its rows, and what is
// pending of it without a row; those of all are found by walking the events. It is built as text,
// so that the plan has no condition that was not asked for.
type filter struct {
	sources []source
	where   []string
	args    []any
}

// source is a part of a list, with its names for the numbers of events and of subscriptions.
type source struct{ sql, seq, sub string }

// add adds a condition; "?" stands for its argument. No text of the caller's is put into the
// statement.
func (f *filter) add(condition string, arg any) {
	f.args = append(f.args, arg)
	f.where = append(f.where, strings.ReplaceAll(condition, "?", fmt.Sprintf("$%d", len(f.args))))
}

// IDs are made plain: one that PostgreSQL can't keep would be an error, and matches nothing.
func newFilter(sql *schema.Statements, q *store.DeliveryQuery) *filter {
	f := &filter{sources: []source{{sql.ListAll, "e.seq", "s.num"}}}
	if q.SubscriptionID != "" {
		// Two sources, each with an index that fits it: the rows of the subscription by the primary
		// key, and what has no row by the events above the low mark, which are few.
		f.sources = []source{{sql.ListRows, "d.seq", "d.sub"}, {sql.ListImplicit, "e.seq", "s.num"}}
		f.add("s.id = ?", record.Plain(q.SubscriptionID))
	}
	if !q.AnyTenant {
		f.add("e.tenant = ?", record.Plain(q.Tenant))
	}
	if q.EventID != "" {
		f.add("e.id = ?", record.Plain(q.EventID))
		if q.AnyTenant { // a subscription is named, whose tenant it is
			f.where = append(f.where, "e.tenant = s.tenant")
		}
	}
	if q.EventType != "" {
		f.add("e.type = ?", record.Plain(q.EventType))
	}
	if !q.Since.IsZero() {
		// Times that PostgreSQL does not have are cut to its range: they are compared and not
		// stored.
		f.add("e.enqueued_at >= ?", record.InRange(q.Since))
	}
	if !q.Until.IsZero() {
		f.add("e.enqueued_at < ?", record.InRange(q.Until))
	}
	if len(q.States) > 0 {
		var numbers []int16
		for _, state := range q.States {
			numbers = append(numbers, record.StateNumber(state))
		}
		// Of the state that is shown, which is not always the one in the row: what was unsubscribed
		// or erased is canceled before its row says so.
		f.add("x.state = ANY (?::smallint[])", numbers)
	}
	return f
}

// page returns the query for at most limit deliveries that a cursor reaches, the nearest first.
func (f *filter) page(from page.Cursor, limit int) (query string, args []any) {
	// The capacity is cut too: the two pages of one call append to the same arguments.
	n := len(f.args)
	args = append(f.args[:n:n], limit)
	// Newest first, and the subscriptions of one event upwards. SEQ and SUB stand for a source's
	// columns.
	condition, order := "", "seq DESC, sub"
	switch {
	// In the opposite order, so that the limit keeps what is nearest to the boundary. The Collector
	// turns it around.
	case from.Back:
		order = "seq, sub DESC"
		// A bound on the event alone comes first: an index can begin there, which it can't at the
		// OR.
		condition = fmt.Sprintf("SEQ >= $%d AND (SEQ > $%[1]d OR SUB < $%d)", n+2, n+3)
	case from.At != page.Start():
		condition = fmt.Sprintf("SEQ <= $%d AND (SEQ < $%[1]d OR SUB >= $%d)", n+2, n+3)
	}
	if condition != "" {
		args = append(args, int64(from.At.Seq), int64(from.At.Num))
	}
	var parts []string
	for _, src := range f.sources {
		// Each part has an order and a limit of its own: an index gives it, and the rest is not
		// read.
		by := strings.NewReplacer("seq", src.seq, "sub", src.sub).Replace(order)
		part := src.with(append([]string{condition}, f.where...)) + " ORDER BY " + by
		parts = append(parts, fmt.Sprintf("(%s LIMIT $%d)", src.named(part), n+1))
	}
	// The limit again, as each of two sources may have given so many.
	return fmt.Sprintf("SELECT * FROM (%s) d ORDER BY %s LIMIT $%d",
		strings.Join(parts, " UNION ALL "), order, n+1), args
}

// count returns the query for how many there are on all pages. A delivery is in one source only, as
// one has a row and the other has not, so the sum is right.
func (f *filter) count() string {
	var parts []string
	for _, src := range f.sources {
		// What follows the columns: the first line that begins with FROM, as those of subqueries
		// are indented.
		_, from, _ := strings.Cut(src.with(f.where), "\nFROM ")
		parts = append(parts, "(SELECT count(*) FROM "+from+")")
	}
	return "SELECT " + strings.Join(parts, " + ")
}

// with returns the source with conditions. Each source ends in a WHERE, with a condition that is
// always true if it has no other.
func (src *source) with(conditions []string) string {
	text := src.sql
	for _, c := range conditions {
		if c != "" {
			text += " AND " + c
		}
	}
	return text
}

// named puts the names of the source in a text.
func (src *source) named(text string) string {
	return strings.NewReplacer("SEQ", src.seq, "SUB", src.sub).Replace(text)
}

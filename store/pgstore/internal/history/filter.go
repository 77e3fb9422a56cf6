package history

import (
	"fmt"
	"slices"
	"strings"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/schema"
)

// filter is a query of deliveries in SQL. It is built as text, so that the plan has no condition
// that was not asked for; numbers of states are written out, so that the planner sees that a
// partial index has them.
//
// A statement first looks where deliveries stand (search.go), and reads of each no more than an
// index has. What is to be said of them is read after that, in their order, until there are enough.
type filter struct {
	name  schema.Name
	sql   *schema.Statements
	query *store.DeliveryQuery
	where []string // of what is said of a delivery
	args  []any
}

// arg adds an argument, and returns how the statement names it.
func (f *filter) arg(v any) string {
	f.args = append(f.args, v)
	return fmt.Sprintf("$%d", len(f.args))
}

// add adds a condition; "?" stands for its argument. No text of the caller's is put into the
// statement.
func (f *filter) add(condition string, v any) {
	f.where = append(f.where, strings.ReplaceAll(condition, "?", f.arg(v)))
}

// IDs are made plain: one that PostgreSQL can't keep would be an error, and matches nothing.
func newFilter(name schema.Name, sql *schema.Statements, q *store.DeliveryQuery) *filter {
	f := &filter{name: name, sql: sql, query: q}
	if q.SubscriptionID != "" {
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
	if q.Key != "" {
		f.add("e.key = ?", record.Plain(q.Key))
	}
	if q.Tag != "" {
		f.add("? = ANY (e.tags)", q.Tag)
	}
	if q.ErrorClass != "" { // see store.HasClass
		f.add("(y.last_error = ? OR starts_with(y.last_error, ? || ':'))", record.Plain(q.ErrorClass))
	}
	if r := q.LastStatus; r != (store.StatusRange{}) {
		f.add("coalesce(d.last_status, 0) >= ?", r.From)
		f.add("coalesce(d.last_status, 0) <= ?", r.To)
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
		var numbers []string
		for _, state := range q.States {
			numbers = append(numbers, fmt.Sprint(record.StateNumber(state)))
		}
		// Of the state that is shown, which is not always the one in the row: what was unsubscribed
		// or erased is canceled before its row says so.
		f.where = append(f.where, "x.state IN ("+strings.Join(numbers, ", ")+")")
	}
	return f
}

// indexed reports whether a search finds nothing, or little, that the query does not select.
func (f *filter) indexed() bool {
	q := f.query
	byState := !slices.Contains(q.States, store.Delivered) && (q.SubscriptionID != "" || !q.AnyTenant)
	return q.EventType == "" && q.EventID == "" && q.Since.IsZero() && q.Until.IsZero() &&
		q.Key == "" && q.Tag == "" && q.ErrorClass == "" && q.LastStatus == store.StatusRange{} &&
		(len(q.States) == 0 || byState)
}

// page returns the query for at most limit deliveries that the search reaches, the nearest first,
// and for where it has stopped.
func (f *filter) page(s *search, limit int) (query string, args []any) {
	n := s.arg(limit)
	return f.name.In(fmt.Sprintf(`WITH %s
SELECT * FROM (
    (%s%s ORDER BY %s LIMIT %s)
    UNION ALL
    SELECT seq, sub, '', '', '', '', '', 0::smallint, 0, coalesce((
        SELECT e.enqueued_at FROM outhook.events e WHERE e.seq >= stop.seq ORDER BY e.seq LIMIT 1),
        now()), NULL, NULL, 0::smallint, '', false, 0, false, NULL,
        NULL, true
    FROM stop) d
ORDER BY stopped, %s`, s.text(), f.sql.Listed, f.and(), s.order("k.seq", "k.sub"), n,
		s.order("seq", "sub"))), s.args
}

// count returns the query for how many deliveries the search reaches, at most, and whether there
// may be more.
func (f *filter) count(s *search, most int) (query string, args []any) {
	n := s.arg(most + 1)
	// What follows the columns: the first line that begins with FROM, as those of subqueries are
	// indented.
	_, from, _ := strings.Cut(f.sql.Listed+f.and(), "\nFROM ")
	return fmt.Sprintf(`WITH %s
SELECT count(*), EXISTS (SELECT 1 FROM stop) FROM (
    SELECT 1 FROM %s ORDER BY %s LIMIT %s) d`, f.name.In(s.text()), from, s.order("k.seq", "k.sub"), n), s.args
}

// and returns the conditions, to be appended to a WHERE that has one.
func (f *filter) and() string {
	text := ""
	for _, c := range f.where {
		text += " AND " + c
	}
	return text
}

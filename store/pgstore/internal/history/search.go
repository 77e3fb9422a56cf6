package history

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
	"github.com/outhook/outhook/store/pgstore/internal/record"
)

const (
	// look is how many deliveries a page, or a count, looks at because a filter may select them. A
	// caller may give less: see page.BudgetOf.
	look = 2000

	// mostMerged is how many subscriptions of a tenant are looked at one by one. A tenant that has
	// more is searched in the log, as all tenants together are.
	mostMerged = 1000
)

// search finds where the deliveries stand that a query may select, from a boundary on. It looks at
// a bounded number of index entries and events, whatever there is, in a few sources:
//
//   - rows, of each subscription that is asked for, by the primary key, or by the index of those
//     that are not delivered;
//   - events above the lowest low mark: what is pending without a row;
//   - the one event that is asked for;
//   - the log, for what has no index.
//
// Each source is read in the order of the listing, to a limit. Where one has ended at its limit,
// what the others have behind that is left out: something may be missing between.
type search struct {
	*filter
	from page.Cursor
	args []any // those of the filter, and the search's own

	seq, num string // the boundary
	most     string // how many deliveries or events a source looks at
	since    string // a condition on an event, of which %s is the number; empty if there is none
	want     string // how many are needed: of what the query selects as a whole, no more are looked at
}

// sinceSlack is how much later than the others an event may have been enqueued that is missing when
// their times are noted, as its transaction is open: its number is theirs, and so is its time, but
// for the length of a statement.
const sinceSlack = time.Minute

// search returns a search for n deliveries that looks at so many for each source, or at a few more.
func (f *filter) search(from page.Cursor, n, most int) *search {
	// The capacity is cut too: the searches of one call append to the same arguments.
	s := &search{filter: f, from: from, args: slices.Clip(f.args)}
	s.seq, s.num = s.arg(int64(from.At.Seq)), s.arg(int64(from.At.Num))
	most = max(n, most)
	if !f.indexed() {
		n = most
	}
	s.want, s.most = s.arg(n), s.arg(most)
	if since := s.query.Since; !since.IsZero() {
		s.args = append(s.args, record.InRange(since.Add(-sinceSlack)))
		s.since = fmt.Sprintf(" AND %%s > coalesce((SELECT t.seq FROM outhook.event_times t "+
			"WHERE t.at < $%d::timestamptz ORDER BY t.at DESC, t.seq DESC LIMIT 1), 0)", len(s.args))
	}
	return s
}

// arg adds an argument of the search alone.
func (s *search) arg(v any) string {
	s.args = append(s.args, v)
	if _, is := v.(string); is {
		return fmt.Sprintf("$%d::text", len(s.args))
	}
	return fmt.Sprintf("$%d::bigint", len(s.args))
}

// order returns the order of the listing by the names of two columns, or the opposite on the way
// back: what is next to the boundary comes first. The Collector turns it around.
func (s *search) order(seq, sub string) string {
	if s.from.Back {
		return seq + ", " + sub + " DESC"
	}
	return seq + " DESC, " + sub
}

// reached returns the condition that a delivery is on our way. It bounds the event, so an index can
// begin there.
func (s *search) reached(seq, sub string) string {
	if s.from.Back {
		return fmt.Sprintf("%s >= %s + CASE WHEN %s < %s THEN 0 ELSE 1 END", seq, s.seq, sub, s.num) +
			s.recent(seq)
	}
	return fmt.Sprintf("%s <= %s - CASE WHEN %s < %s THEN 1 ELSE 0 END", seq, s.seq, sub, s.num) +
		s.recent(seq)
}

// recent returns the condition that an event may be from the time since which is searched, to be
// appended to others. It ends the index too: what is older is not read.
func (s *search) recent(seq string) string {
	if s.since == "" {
		return ""
	}
	return fmt.Sprintf(s.since, seq)
}

// text returns the parts of a WITH: "k" has where deliveries stand, "stop" how far the search has
// come if it did not come to the end.
func (s *search) text() string {
	before, sub := ">", "<="
	if s.from.Back {
		before, sub = "<", ">="
	}
	// Not each search uses all of its arguments, and the server must know their types.
	asked := fmt.Sprintf("asked AS (SELECT %s, %s, %s, %s)", s.seq, s.num, s.most, s.want)
	return fmt.Sprintf(`%s, %s, stop AS MATERIALIZED (
    SELECT seq, sub FROM look WHERE last ORDER BY %s LIMIT 1
), k AS (
    SELECT l.seq, l.sub FROM look l LEFT JOIN stop z ON true
    WHERE z.seq IS NULL OR l.seq %s z.seq OR l.seq = z.seq AND l.sub %s z.sub
    GROUP BY l.seq, l.sub ORDER BY %s
)`, asked, s.look(), s.order("seq", "sub"), before, sub, s.order("l.seq", "l.sub"))
}

// look returns the parts of the WITH that look. The sources of subscriptions and of the log exclude
// each other: the planner asks how many subscriptions there are before it begins with one.
func (s *search) look() string {
	const merged, searched = "(SELECT n FROM subs_n) <= ", "(SELECT n FROM subs_n) > "
	q := s.query
	few, many := merged+fmt.Sprint(mostMerged), searched+fmt.Sprint(mostMerged)
	switch {
	case q.EventID != "":
		return union(s.events("e.id = "+s.arg(record.Plain(q.EventID)), "true", s.most))
	case q.SubscriptionID != "":
		subs := s.subs("s.id = " + s.arg(record.Plain(q.SubscriptionID)))
		return subs + union(append(s.rows(few), s.rowless(few, ofOne), s.expiring(few, ofOne))...)
	case !q.AnyTenant:
		tenant := s.arg(record.Plain(q.Tenant))
		subs, of := s.subs("s.tenant = "+tenant), "e.tenant = "+tenant
		rows := s.rows(few)
		if q.Tenant != "" { // its events have an index, so no other tenant's are looked at
			few, many = few+" AND "+of+" AND e.tenant <> ''", many+" AND "+of+" AND e.tenant <> ''"
		}
		return subs + union(append(rows, s.rowless(few, of), s.expiring(few, of),
			s.events(many, of, s.most))...)
	case s.indexed():
		return union(s.events("true", "true", s.want))
	}
	return union(s.events("true", "true", s.most))
}

// subs returns the parts of the WITH that say which subscriptions are looked at, and how many
// deliveries of each.
func (s *search) subs(condition string) string {
	return fmt.Sprintf(`subs AS MATERIALIZED (
    SELECT s.num, s.canceled_to FROM outhook.subscriptions s WHERE %s ORDER BY s.num LIMIT %d
), subs_n AS MATERIALIZED (
    SELECT count(*) AS n, greatest(1, least(%s, %s / greatest(1, count(*)))) AS each FROM subs
), `, condition, mostMerged+1, s.want, s.most)
}

// union returns the part of the WITH that has what the sources have.
func union(sources ...string) string {
	sources = slices.DeleteFunc(sources, func(source string) bool { return source == "" })
	return "look AS MATERIALIZED (\n" + strings.Join(sources, "\nUNION ALL\n") + "\n)"
}

// rows returns the sources of what has a row. A state that is shown is the one in the row, but for
// what a cancellation or an erasure has ended and that has not been told so: its row says pending.
func (s *search) rows(only string) (sources []string) {
	states := s.query.States
	if len(states) == 0 || slices.Contains(states, store.Delivered) {
		return []string{s.rowsThat("true", only)}
	}
	for _, state := range store.States() {
		if slices.Contains(states, state) {
			condition := fmt.Sprintf("d.state = %d", record.StateNumber(state))
			sources = append(sources, s.rowsThat(condition, only))
		}
	}
	if slices.Contains(states, store.Canceled) && !slices.Contains(states, store.Pending) {
		sources = append(sources, s.rowsThat("d.state = 0 AND d.seq < s.canceled_to", only),
			"SELECT x.seq, s.num AS sub, false AS last\nFROM outhook.erasures x CROSS JOIN subs s\nWHERE "+
				s.reached("x.seq", "s.num")+" AND "+only)
	}
	return sources
}

// rowsThat returns the source of the rows of each subscription that a condition selects: the next
// few of each.
func (s *search) rowsThat(condition, only string) string {
	order := "DESC"
	if s.from.Back {
		order = "ASC"
	}
	return fmt.Sprintf(`SELECT p.seq, s.num AS sub, p.last FROM subs s CROSS JOIN LATERAL (
    SELECT d.seq, row_number() OVER () = (SELECT each FROM subs_n) AS last FROM (
        SELECT d.seq FROM outhook.deliveries d WHERE d.sub = s.num AND %s AND %s
        ORDER BY d.seq %s LIMIT (SELECT each FROM subs_n)) d) p
WHERE %s`, condition, s.reached("d.seq", "s.num"), order, only)
}

// rowless returns the source of what is pending without a row; "" if that is not asked for. It is
// above the low marks, so the events there are few.
func (s *search) rowless(only, condition string) string {
	states := s.query.States
	if len(states) > 0 && !slices.Contains(states, store.Pending) &&
		!slices.Contains(states, store.Canceled) {
		return ""
	}
	return s.events("e.seq > (SELECT min(low) FROM outhook.shares) AND "+only, condition, s.most)
}

// expiring returns the source of what has expired and has a row that calls it pending; "" if that
// is not asked for, or is found among what is pending. Events that expire have an index.
func (s *search) expiring(only, condition string) string {
	states := s.query.States
	if !slices.Contains(states, store.Canceled) || slices.Contains(states, store.Pending) ||
		slices.Contains(states, store.Delivered) { // then all rows are looked at
		return ""
	}
	return s.events("e.expires_at IS NOT NULL AND "+only, condition, s.most)
}

// ofOne is the condition for events of the only one of subs. No list of recipients need be unrolled
// for it.
const ofOne = "s.num = ANY (e.recipients)"

// events returns the source of the deliveries of events: it looks at so many of those that are
// near, and takes those that a condition selects.
func (s *search) events(near, condition, most string) string {
	recipients, sub := "CROSS JOIN LATERAL unnest(e.recipients) AS r(sub)", "r.sub"
	if condition == ofOne {
		recipients, sub = "CROSS JOIN subs s", "s.num"
	}
	order, reached := "DESC", "e.seq <= "+s.seq
	// The end of the last event that is looked at: none of its recipients is left.
	end := fmt.Sprint(int64(page.MaxNumber - 1))
	if s.from.Back {
		order, reached, end = "ASC", "e.seq >= "+s.seq, "0"
	}
	reached += s.recent("e.seq")
	return fmt.Sprintf(`SELECT p.seq, p.sub, row_number() OVER () = %[1]s AS last FROM (
    SELECT e.seq, %[2]s AS sub FROM (
        SELECT e.seq, e.tenant, e.recipients FROM outhook.events e WHERE %[3]s AND %[4]s
        ORDER BY e.seq %[5]s LIMIT %[1]s) e
    %[6]s
    WHERE %[7]s AND %[8]s
    ORDER BY %[9]s LIMIT %[1]s) p
UNION ALL
SELECT e.seq, %[10]s::bigint, true FROM (
    SELECT e.seq FROM outhook.events e WHERE %[3]s AND %[4]s
    ORDER BY e.seq %[5]s OFFSET %[1]s - 1 LIMIT 1) e`,
		most, sub, near, reached, order, recipients, condition, s.reached("e.seq", sub),
		s.order("e.seq", sub), end)
}

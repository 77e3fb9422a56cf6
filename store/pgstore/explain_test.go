package pgstore_test

import (
	"fmt"
	"math"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store/pgstore"
)

// work is how many rows the node and those below it have looked at, each time that they ran.
func (p *plan) work() (rows float64) {
	rows = (p.Rows + p.Removed) * p.Loops
	for i := range p.Plans {
		rows += p.Plans[i].work()
	}
	return rows
}

// TestPendingPlan checks that what is pending is counted by looking at a number of rows that goes
// by the number counted, for one subscription and for all, with a row and without, whether the
// server knows its tables or not.
func TestPendingPlan(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	for _, analyzed := range []bool{false, true} {
		perDelivery := make(map[string]map[int]float64)
		for _, subs := range []int{100, 400} {
			for what, work := range pendingWork(t, subs, analyzed) {
				if perDelivery[what] == nil {
					perDelivery[what] = make(map[int]float64)
				}
				perDelivery[what][subs] = work
			}
		}
		for what, of := range perDelivery {
			what = fmt.Sprintf("rows looked at for each that is counted %s (statistics: %v)", what, analyzed)
			if of[400] > 2*of[100] {
				t.Errorf("%s: got %.1f with 400 subscriptions and %.1f with 100, want about as many", what,
					of[400], of[100])
			}
			t.Logf("%s: %.1f with 100 subscriptions, %.1f with 400", what, of[100], of[400])
		}
	}
}

// pendingWork returns how many rows are looked at, for each delivery that is counted, where some
// events are pending for all subscriptions.
func pendingWork(t *testing.T, subs int, analyzed bool) map[string]float64 {
	t.Helper()
	const events = 20
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	subscribeMany(t, pool, schema, subs)
	b := &backlog{pool: pool, schema: schema, store: s}
	work := make(map[string]float64)
	count := func(what string, n int) {
		if analyzed {
			if _, err := pool.Exec(t.Context(), "ANALYZE"); err != nil {
				t.Fatal(err)
			}
		}
		pending, quota := s.HotStatements()["pending"], s.HotStatements()["quota"]
		all := make([]int32, 64)
		for i := range all {
			all[i] = int32(i)
		}
		p := b.explain(t, pending, []any{int64(1), int64(math.MaxInt64)})
		work[what] = p.work() / float64(n)
		p = b.explain(t, quota, []any{"", n, all})
		work[what+", for a quota"] = p.work() / float64(n)
	}
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Tx(tx).Enqueue(t.Context(), someEvents(events)...); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	count("with a row", events*subs)
	if err := s.Enqueue(t.Context(), someEvents(events)...); err != nil {
		t.Fatal(err)
	}
	count("of which half have a row", 2*events*subs)
	return work
}

// mostPerDelivery is how many rows may be looked at to store one of many deliveries of an event:
// not all shares, of which there are 64.
const mostPerDelivery = 20

// TestWidePlan checks that storing events for many subscriptions looks at a number of rows that
// goes by the number of deliveries and not by its product with that of events, whether the server
// knows its tables or not.
func TestWidePlan(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	const subs = 400
	for _, analyzed := range []bool{false, true} {
		pool, schema := newPool(t)
		s := open(t, pool, schema)
		subscribeMany(t, pool, schema, subs)
		if analyzed {
			if _, err := pool.Exec(t.Context(), "ANALYZE"); err != nil {
				t.Fatal(err)
			}
		}
		b := &backlog{pool: pool, schema: schema, store: s}
		perDelivery := make(map[int]float64)
		for _, n := range []int{1, 5, 50} {
			built, err := pgstore.Build(someEvents(n))
			if err != nil {
				t.Fatal(err)
			}
			args := append(pgstore.EnqueueArgs(built), int64(1), pgx.Identifier{schema, "events"}.Sanitize(),
				false, "", []*string{})
			p := b.explain(t, s.HotStatements()["enqueue"], args)
			perDelivery[n] = p.work() / float64(n*subs)
		}
		what := fmt.Sprintf("rows looked at for each delivery (statistics: %v)", analyzed)
		if perDelivery[50] > 2*perDelivery[5] {
			t.Errorf("%s: got %.1f with 50 events and %.1f with 5, want about as many", what,
				perDelivery[50], perDelivery[5])
		}
		if perDelivery[50] > mostPerDelivery {
			t.Errorf("%s: got %.1f, want %d at most", what, perDelivery[50], mostPerDelivery)
		}
		if perDelivery[1] > 2*mostPerDelivery { // what there is of each subscription, once
			t.Errorf("%s: got %.1f with one event, want %d at most", what, perDelivery[1],
				2*mostPerDelivery)
		}
		t.Logf("%s: %.1f with one event, %.1f with 5, %.1f with 50", what, perDelivery[1],
			perDelivery[5], perDelivery[50])
	}
}

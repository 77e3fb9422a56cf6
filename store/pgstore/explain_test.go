package pgstore_test

import (
	"fmt"
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

// TestWidePlan checks that storing events for many subscriptions looks at a number of rows that
// goes by the number of deliveries and not by its product with that of events, whether the server
// knows its tables or not.
func TestWidePlan(t *testing.T) {
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
		for _, n := range []int{5, 50} {
			built, err := pgstore.Build(someEvents(n))
			if err != nil {
				t.Fatal(err)
			}
			args := append(pgstore.EnqueueArgs(built), int64(1), pgx.Identifier{schema, "events"}.Sanitize(),
				false)
			p := b.explain(t, s.HotStatements()["enqueue"], args)
			perDelivery[n] = p.work() / float64(n*subs)
		}
		what := fmt.Sprintf("rows looked at for each delivery (statistics: %v)", analyzed)
		if perDelivery[50] > 2*perDelivery[5] {
			t.Errorf("%s: got %.1f with 50 events and %.1f with 5, want about as many", what,
				perDelivery[50], perDelivery[5])
		}
		t.Logf("%s: %.1f with 5 events, %.1f with 50", what, perDelivery[5], perDelivery[50])
	}
}

package pgstore_test

import (
	"testing"
	"time"

	"github.com/outhook/outhook/store/pgstore"
)

// listener returns a replica on the schema that listens, and polls so seldom that it does not
// count.
func listener(t *testing.T, o pgstore.Options) *pgstore.Store {
	t.Helper()
	pool, schema := newPool(t)
	o.Schema = schema
	s, err := pgstore.New(pool, &o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	if err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

// replicaOf returns another store on the same schema.
func publishElsewhere(t *testing.T, o pgstore.Options, schema string) {
	t.Helper()
	p, _ := newPool(t)
	s, err := pgstore.New(p, &pgstore.Options{Schema: schema, PollInterval: o.PollInterval,
		PollOnly: o.PollOnly})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	s.Ready() // only a store that delivers tells others
	if err := s.Enqueue(t.Context(), someEvents(1)...); err != nil {
		t.Fatal(err)
	}
}

func TestWakesAcrossReplicas(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	o := pgstore.Options{Schema: schema, PollInterval: time.Hour}
	s := open(t, pool, schema)
	subscribeJudge(t, s, newJudge(t))
	hearing, err := pgstore.New(pool, &o)
	if err != nil {
		t.Fatal(err)
	}
	defer hearing.Close()
	<-hearing.Ready() // it listens
	publishElsewhere(t, o, schema)
	wakes(t, hearing, "after another replica has published")

	// The connection that listens is lost; one that was missed meanwhile is made up for.
	admin := connect(t, serverURL)
	tag, err := admin.Exec(t.Context(),
		`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = $1`, `LISTEN "`+schema+`"`)
	if err != nil || tag.RowsAffected() == 0 {
		t.Fatalf("terminating who listens: %d, %v", tag.RowsAffected(), err)
	}
	wakes(t, hearing, "when it listens again")
	publishElsewhere(t, o, schema)
	wakes(t, hearing, "after the connection was lost and made anew")
}

func TestPollAlone(t *testing.T) {
	t.Parallel()
	s := listener(t, pgstore.Options{PollInterval: 50 * time.Millisecond, PollOnly: true})
	for range 3 {
		wakes(t, s, "by polling")
	}
}

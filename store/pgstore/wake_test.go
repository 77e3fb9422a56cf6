package pgstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

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
	claimAll(t, hearing) // so it has shares, and listens
	listens(t, schema)
	drained(hearing)
	publishElsewhere(t, o, schema)
	wakes(t, hearing, "after another replica has published")

	// The connection that listens is lost; what was missed meanwhile is made up for.
	claimAll(t, hearing)
	drained(hearing)
	admin := connect(t, serverURL)
	tag, err := admin.Exec(t.Context(), terminateListeners, `LISTEN "`+schema+`"`)
	if err != nil || tag.RowsAffected() == 0 {
		t.Fatalf("terminating who listens: %d, %v", tag.RowsAffected(), err)
	}
	publishElsewhere(t, o, schema)
	wakes(t, hearing, "what was published while nobody listened")
	claimAll(t, hearing)
	listens(t, schema)
	drained(hearing)
	publishElsewhere(t, o, schema)
	wakes(t, hearing, "after the connection was lost and made anew")
}

const terminateListeners = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query = $1`

// listens waits until a replica listens on the schema's channel.
func listens(t *testing.T, schema string) {
	t.Helper()
	admin := connect(t, serverURL)
	await(t, "a replica listens", func() bool {
		var n int
		err := admin.QueryRow(t.Context(),
			`SELECT count(*) FROM pg_stat_activity WHERE query = $1 AND state = 'idle'`,
			`LISTEN "`+schema+`"`).Scan(&n)
		return err == nil && n > 0
	})
}

// drained takes what is in the slot of Ready.
func drained(s *pgstore.Store) {
	select {
	case <-s.Ready():
	default:
	}
}

func TestPollAlone(t *testing.T) {
	t.Parallel()
	s := listener(t, pgstore.Options{PollInterval: 50 * time.Millisecond, PollOnly: true})
	for range 3 {
		wakes(t, s, "by polling")
	}
}

// TestListensByBeforeConnect checks that the connection that listens is made as those of the pool
// are, by a BeforeConnect that alone knows how: as with passwords that last for minutes.
func TestListensByBeforeConnect(t *testing.T) {
	t.Parallel()
	direct, schema := newPool(t)
	subscribeJudge(t, open(t, direct, schema), newJudge(t))
	config, err := pgxpool.ParseConfig(serverURL)
	if err != nil {
		t.Fatal(err)
	}
	port := config.ConnConfig.Port
	config.ConnConfig.Port = 1 // where nobody listens
	config.BeforeConnect = func(_ context.Context, c *pgx.ConnConfig) error {
		c.Port = port
		return nil
	}
	pool, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	o := pgstore.Options{Schema: schema, PollInterval: time.Hour}
	hearing, err := pgstore.New(pool, &o)
	if err != nil {
		t.Fatal(err)
	}
	defer hearing.Close()
	claimAll(t, hearing)
	listens(t, schema)
	drained(hearing)
	publishElsewhere(t, o, schema)
	wakes(t, hearing, "after another replica has published")
}

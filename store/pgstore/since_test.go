package pgstore_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// fillTimes stores deliveries that have died, of events that were enqueued at a time each, which is
// an expression of the event's number n.
func fillTimes(t *testing.T, pool *pgxpool.Pool, schema string, n int, at string) {
	t.Helper()
	fill := fmt.Sprintf(`
		INSERT INTO outhook.events (id, type, tenant, key, time, enqueued_at, body, trace, recipients)
		SELECT 'old-' || n, 'message.created', '', '', now(), %s, '{}', '', '{1}'
		FROM generate_series(1, %d) n;
		INSERT INTO outhook.deliveries (sub, seq, state, attempts, last_status, finished_at)
		SELECT 1, seq, 2, 1, 500, now() FROM outhook.events;
		SELECT FROM outhook.shares ORDER BY id FOR UPDATE;
		UPDATE outhook.shares SET low = %[2]d;
		ANALYZE`, at, n)
	fill = strings.ReplaceAll(fill, "outhook.", pgx.Identifier{schema}.Sanitize()+".")
	if _, err := pool.Exec(t.Context(), fill, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
}

// replayed takes steps of a replay to its end, and returns how many deliveries each has changed.
func replayed(t *testing.T, s *pgstore.Store, q store.DeliveryQuery) (steps []int) {
	t.Helper()
	for {
		result, err := s.Requeue(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		steps = append(steps, result.Requeued)
		if q.Cursor = result.Next; q.Cursor == "" {
			return steps
		}
	}
}

// TestReplaySinceBeginsThere replays what was enqueued since a time, behind much that is older. The
// first step must come to it, and touch as many blocks however much is older.
func TestReplaySinceBeginsThere(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	const recent = 300
	touched := make(map[int]int)
	sizes := []int{20_000, 80_000}
	for _, older := range sizes {
		pool, schema := newPool(t)
		s := open(t, pool, schema)
		subscribeJudge(t, s, newJudge(t))
		fillTimes(t, pool, schema, older+recent,
			fmt.Sprintf("now() - CASE WHEN n > %d THEN interval '1 minute' ELSE interval '1 day' END",
				older))
		pruneAll(t, s)
		for what, q := range map[string]store.DeliveryQuery{
			"of the tenant": {}, "of a type": {EventType: "message.created"}, "of all": {AnyTenant: true},
		} {
			q.Since, q.Limit = time.Now().Add(-time.Hour), recent/3
			statement, args := s.ReplayStatement(&q)
			b := &backlog{pool: pool, schema: schema, store: s}
			p := b.explain(t, statement, args)
			touched[older] = max(touched[older], p.Hit+p.Read)
			if result, err := s.Requeue(t.Context(), q); err != nil || result.Requeued != q.Limit {
				t.Errorf("%s, with %d that are older: the first step has changed %d, %v, want %d", what, older,
					result.Requeued, err, q.Limit)
			}
		}
	}
	few, many := touched[sizes[0]], touched[sizes[1]]
	if many > 2*few+200 {
		t.Errorf("a step touches %d blocks with %d that are older and %d with %d, want about as many",
			few, sizes[0], many, sizes[1])
	}
	t.Logf("blocks touched by a step, by how many are older: %v", touched)
}

// TestReplaySinceWithAClockSetBack replays since a time before the server's clock was set back:
// events that came first are of the latest times. None may be missing.
func TestReplaySinceWithAClockSetBack(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	subscribeJudge(t, s, newJudge(t))
	fillTimes(t, pool, schema, 45_000,
		"now() - CASE WHEN n BETWEEN 15000 AND 15099 THEN interval '1 minute' ELSE interval '1 day' END")
	pruneAll(t, s)
	total, since := 0, time.Now().Add(-time.Hour)
	for _, n := range replayed(t, s, store.DeliveryQuery{Since: since, Limit: 50}) {
		total += n
	}
	if total != 100 {
		t.Errorf("replayed: got %d, want the 100 that are since then", total)
	}
	found, err := s.Deliveries(t.Context(),
		store.DeliveryQuery{Since: since, Count: true, Limit: 1})
	if err != nil {
		t.Fatal(err)
	}
	for len(found.Items) == 0 && found.Next != "" {
		if found, err = s.Deliveries(t.Context(), store.DeliveryQuery{
			Since: since, Limit: 1, Cursor: found.Next,
		}); err != nil {
			t.Fatal(err)
		}
	}
	if len(found.Items) != 1 || found.Items[0].EventID != "old-15099" {
		t.Errorf("the newest since then: got %+v, want old-15099", found.Items)
	}
}

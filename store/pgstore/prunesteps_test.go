package pgstore_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
)

// scanned returns how many blocks are read to scan an index, those of the table included.
func (p *plan) scanned(index string) (blocks int) {
	if p.Index == index {
		blocks = p.Hit + p.Read
	}
	for i := range p.Plans {
		blocks += p.Plans[i].scanned(index)
	}
	return blocks
}

// TestPruneReadsNothingTwice checks that a step of Prune does not read past what earlier ones have
// removed, while a transaction keeps the server from vacuuming; and that a step that is the last of
// its run has the next begin anew.
func TestPruneReadsNothingTwice(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	const steps = 6
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	subscribeJudge(t, s, newJudge(t))
	fill := fmt.Sprintf(`
		INSERT INTO outhook.events (id, type, tenant, key, time, enqueued_at, body, trace, recipients)
		SELECT 'old-' || n, 'message.created', '', '', now(), now(), '{}', '', '{1}'
		FROM generate_series(1, %d) n;
		INSERT INTO outhook.deliveries (sub, seq, state, attempts, last_status, finished_at)
		SELECT 1, seq, 1 + (seq %% 2), 1, 200, now() - interval '1 day' + seq * interval '1 millisecond'
		FROM outhook.events`, 2*1000*steps+500)
	fill = strings.ReplaceAll(fill, "outhook.", pgx.Identifier{schema}.Sanitize()+".")
	if _, err := pool.Exec(t.Context(), fill, pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	pin, err := pool.BeginTx(t.Context(), pgx.TxOptions{IsoLevel: pgx.RepeatableRead})
	if err != nil {
		t.Fatal(err)
	}
	defer pin.Rollback(t.Context())
	if _, err := pin.Exec(t.Context(), "SELECT pg_current_xact_id()"); err != nil {
		t.Fatal(err)
	}
	b := &backlog{pool: pool, schema: schema, store: s}
	keep := store.Retention{Delivered: time.Hour, Failed: time.Hour}
	blocks := func() int {
		statement, args := s.NextPrune(keep)
		p := b.explain(t, statement, args)
		return p.scanned("deliveries_delivered") + p.scanned("deliveries_failed")
	}
	first := blocks()
	for n := range steps - 1 {
		if more, err := s.Prune(t.Context(), keep); !more || err != nil {
			t.Fatalf("step %d: got %t, %v, want more", n+1, more, err)
		}
	}
	if last := blocks(); first == 0 || last > 2*first {
		t.Errorf("blocks that a step reads to find what is old: got %d after %d steps, and %d by the "+
			"first; want about as many", last, steps-1, first)
	}
	for more := true; more; {
		if more, err = s.Prune(t.Context(), keep); err != nil {
			t.Fatal(err)
		}
	}
	if n := count(t, pool, schema, "deliveries"); n != 0 {
		t.Errorf("deliveries after the last step: got %d, want none", n)
	}
	// One that has finished before those, such as an imported one.
	if _, err := pool.Exec(t.Context(), strings.ReplaceAll(`
		INSERT INTO outhook.deliveries (sub, seq, state, finished_at)
		VALUES (1, 1, 1, now() - interval '2 days')`, "outhook.", pgx.Identifier{schema}.Sanitize()+".",
	)); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Prune(t.Context(), keep); err != nil {
		t.Fatal(err)
	}
	if n := count(t, pool, schema, "deliveries"); n != 0 {
		t.Errorf("deliveries after a new run: got %d, want none", n)
	}
}

// TestPurgesDoNotGrow checks that a step that purges what one subscription has left reads as much
// with 10,000 of them as with 100, of which half have been purged.
func TestPurgesDoNotGrow(t *testing.T) {
	t.Parallel()
	needServer(t)
	few, many := purgeBlocks(t, 100), purgeBlocks(t, 10_000)
	t.Logf("blocks with 100: %v; with 10,000: %v", few, many)
	for step, was := range few {
		// An index may be a level higher.
		if now := many[step]; now > was+10 {
			t.Errorf("%s: a step touches %d blocks with 10,000 and %d with 100, want about as many",
				step, now, was)
		}
	}
}

// purgeBlocks returns how many blocks a step of each purge touches, where so many subscriptions
// were unsubscribed, and as many deleted, the first half of which was purged.
func purgeBlocks(t *testing.T, subs int) map[string]int {
	t.Helper()
	pool, schema := newPool(t)
	b := &backlog{pool: pool, schema: schema, store: open(t, pool, schema)}
	fill := fmt.Sprintf(`
		INSERT INTO outhook.cancellations (sub, before, at, reason, purged)
		SELECT n, n, now(), 'unsubscribed', n <= %[1]d / 2 FROM generate_series(1, %[1]d) n;
		INSERT INTO outhook.deleted_subscriptions (sub, above, at, purged)
		SELECT n, 0, now() + n * interval '1 millisecond', n <= %[1]d / 2 FROM generate_series(1, %[1]d) n;
		VACUUM ANALYZE outhook.cancellations, outhook.deleted_subscriptions`, subs)
	for statement := range strings.SplitSeq(fill, ";") {
		statement = strings.ReplaceAll(statement, "outhook.", pgx.Identifier{schema}.Sanitize()+".")
		if _, err := pool.Exec(t.Context(), statement); err != nil {
			t.Fatal(err)
		}
	}
	blocks := make(map[string]int)
	for step, statement := range b.store.PurgeStatements() {
		p := b.explain(t, statement, []any{1000})
		blocks[step] = p.Hit + p.Read
	}
	return blocks
}

package pgstore_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// plan is what EXPLAIN (ANALYZE, BUFFERS) says of a node and those below it.
type plan struct {
	Node     string  `json:"Node Type"`
	Relation string  `json:"Relation Name"`
	Index    string  `json:"Index Name"`
	Hit      int     `json:"Shared Hit Blocks"`
	Read     int     `json:"Shared Read Blocks"`
	Rows     float64 `json:"Actual Rows"`
	Loops    float64 `json:"Actual Loops"`
	Removed  float64 `json:"Rows Removed by Join Filter"`
	Plans    []plan
}

// scans returns the tables that are read from end to end.
func (p *plan) scans() (tables []string) {
	if p.Node == "Seq Scan" {
		tables = append(tables, p.Relation)
	}
	for i := range p.Plans {
		tables = append(tables, p.Plans[i].scans()...)
	}
	return tables
}

// backlog is a store with something of everything, of which all but what one claim takes does not
// concern it.
type backlog struct {
	pool   *pgxpool.Pool
	schema string
	store  *pgstore.Store
	rows   int
	sub    store.Subscription
}

// newBacklog fills a store: as many deliveries are pending for one subscription and finished, and
// of so many other subscriptions, twice as many as rows at most, one half is held with something
// pending, and the other has nothing to do.
func newBacklog(t *testing.T, rows, subs int) *backlog {
	t.Helper()
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	b := &backlog{pool: pool, schema: schema, store: s, rows: rows}
	b.sub = subscribeJudge(t, s, newJudge(t))
	// The rows of shares are locked in order, as by those who renew, or each could wait for the other.
	fill := strings.ReplaceAll(fmt.Sprintf(`
		INSERT INTO outhook.subscriptions (id, tenant, name, url, events, header_names, header_values, secrets, status,
			disabled_reason, created_at, updated_at, subscribed_at)
		SELECT 'sub-' || n, 'tenant-' || n, '', 'https://endpoint.example/', '{}', '{}', '{}', '{}', 'Subscribed', '', now(), now(), now()
		FROM generate_series(1, %[2]d) n;
		INSERT INTO outhook.subscription_patterns SELECT tenant, '', num FROM outhook.subscriptions WHERE id LIKE 'sub-%%';
		INSERT INTO outhook.health (sub, failures, probes, next_probe_at)
		SELECT num, 10, 1, CASE WHEN num %% 2 = 0 THEN now() + interval '1 hour' END FROM outhook.subscriptions WHERE id LIKE 'sub-%%';
		INSERT INTO outhook.events (id, type, tenant, key, time, enqueued_at, body, trace, recipients)
		SELECT 'old-' || n, 'message.created', '', '', now(), now(), '{}', '', CASE WHEN n <= %[2]d THEN ARRAY[1, n] ELSE '{1}' END
		FROM generate_series(1, 2 * %[1]d) n;
		INSERT INTO outhook.deliveries (sub, seq, state, attempts, last_status, finished_at)
		SELECT 1, seq, 1, 1, 200, now() FROM outhook.events WHERE seq <= %[1]d;
		INSERT INTO outhook.deliveries (sub, seq, due) SELECT 1, seq, 0 FROM outhook.events WHERE seq > %[1]d;
		INSERT INTO outhook.deliveries (sub, seq, attempts, due)
		SELECT num, seq, 1, 1 FROM outhook.subscriptions JOIN outhook.events ON seq = num
		WHERE num %% 2 = 0 AND num > 1;
		SELECT FROM outhook.shares ORDER BY id FOR UPDATE;
		UPDATE outhook.shares SET low = 2 * %[1]d;
		ANALYZE`, rows, subs), "outhook.", pgx.Identifier{schema}.Sanitize()+".")
	if _, err := pool.Exec(t.Context(), fill); err != nil {
		t.Fatal(err)
	}
	return b
}

// bounded are the tables that may be read from end to end: of what is being changed right now, and
// of one row a share.
var bounded = []string{"notices", "erasures", "shares", "unsettled_tenants", "tenant_closed_at"}

// blocks explains each hot statement as it runs when there is work for it, and returns how many
// blocks it touches.
func (b *backlog) blocks(t *testing.T) map[string]int {
	t.Helper()
	const batch = 50
	// Its leases on shares may have lapsed while it was filled, as that locks their rows: then it has
	// to take them anew.
	var claims store.ClaimResult
	await(t, "there is a batch of claims", func() bool {
		var err error
		claims, err = b.store.Claim(t.Context(),
			store.ClaimRequest{Max: batch, Lease: lease, MaxFailing: 1})
		if err != nil || len(claims.Claims) != 0 && len(claims.Claims) != batch {
			t.Fatalf("claims: got %d, %v, want %d", len(claims.Claims), err, batch)
		}
		return len(claims.Claims) == batch
	})
	built, err := pgstore.Build(someEvents(batch))
	if err != nil {
		t.Fatal(err)
	}
	subs, seqs := make([]int64, batch), make([]int64, batch)
	firsts, statuses, logs := make([]int64, batch), make([]int16, batch), make([][]byte, batch)
	ords, retries := make([]int32, batch), make([]bool, batch)
	for i := range batch {
		subs[i], seqs[i], ords[i], logs[i] = 1, int64(b.rows+1+i), int32(i), []byte{1}
	}
	fresh := make([]int64, batch) // which have no row yet
	for i := range fresh {
		fresh[i] = int64(10*b.rows + i)
	}
	args := map[string][]any{
		"enqueue": append(pgstore.EnqueueArgs(built), int64(1),
			pgx.Identifier{b.schema, "events"}.Sanitize(), true, "", []*string{}),
		"claim":   {subs, seqs},
		"noticed": {[]int32{0, 1, 2, 3}},
		"windows": {ords, subs, firsts, seqs, retries, 20},
		"newest":  {ords, subs, 128},
		"pending": {int64(2), int64(2)}, // it has one
		"quota":   {"", batch, []int32{}},
		"finish": {subs, fresh, statuses, logs, logs, []int64{1}, []int64{1}, []int32{}, []int64{},
			int64(1), false, make([][]byte, batch), statuses},
	}
	touched := make(map[string]int)
	for name, statement := range b.store.HotStatements() {
		p := b.explain(t, statement, args[name])
		touched[name] = p.Hit + p.Read
		for _, table := range p.scans() {
			if !slices.Contains(bounded, table) {
				t.Errorf("%s with %d rows: reads all of %s, want only %v read so", name, b.rows, table, bounded)
			}
		}
	}
	return touched
}

// explain runs the statement, and undoes it. It runs a second time, when what the first left behind
// has been read.
func (b *backlog) explain(t *testing.T, s pgstore.Statement, args []any) plan {
	t.Helper()
	tx, err := b.pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(t.Context())
	if _, err := tx.Exec(t.Context(), s.Settings); err != nil {
		t.Fatal(err)
	}
	// As the store sends it: prepared, and so planned without its arguments, if the settings say so.
	// Those are put into the text here, as EXPLAIN of a prepared statement takes no others.
	if _, err := tx.Exec(t.Context(), "PREPARE explained AS "+s.SQL,
		pgx.QueryExecModeSimpleProtocol); err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = tx.Exec(t.Context(), "DEALLOCATE explained") }()
	explain := "EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) EXECUTE explained"
	for i := range args {
		explain += map[bool]string{true: "(", false: ", "}[i == 0] + fmt.Sprintf("$%d", i+1)
	}
	if len(args) > 0 {
		explain += ")"
	}
	var out []byte
	if err := tx.QueryRow(t.Context(), explain,
		append([]any{pgx.QueryExecModeSimpleProtocol}, args...)...).Scan(&out); err != nil {
		t.Fatal(err)
	}
	var plans []struct{ Plan plan }
	if err := json.Unmarshal(out, &plans); err != nil {
		t.Fatal(err)
	}
	return plans[0].Plan
}

// TestPlansDoNotGrow checks that what a batch costs goes neither by how much is pending and
// finished, nor by how many subscriptions there are: the blocks that its statements touch.
func TestPlansDoNotGrow(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	needServer(t)
	type size struct{ rows, subs int }
	few := size{10_000, 200}
	much, many := size{100_000, 2000}, size{10_000, 20_000}
	if long {
		much, many = size{1_000_000, 20_000}, size{50_000, 100_000}
	}
	small := newBacklog(t, few.rows, few.subs).blocks(t)
	t.Logf("blocks touched with %+v: %v", few, small)
	for what, size := range map[string]size{"much pending": much, "many subscriptions": many} {
		large := newBacklog(t, size.rows, size.subs).blocks(t)
		t.Logf("with %s, %+v: %v", what, size, large)
		for name, was := range small {
			// An index may be a level or two higher, which each of 50 deliveries pays in a few indexes.
			if now := large[name]; now > was+was/2+200 {
				t.Errorf("%s: touches %d blocks with %+v and %d with %+v, want about as many", name, was, few,
					now, size)
			}
		}
	}
}

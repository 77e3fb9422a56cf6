package pgstore_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
	"github.com/outhook/outhook/store/shards"
)

// canary is what must not be anywhere once it was erased.
const (
	canary      = "canary-of-the-erased"
	canaryTrace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
)

// rowsWith returns the tables that have any of the texts in a row.
func rowsWith(t *testing.T, pool *pgxpool.Pool, schema string, texts ...string) (tables []string) {
	t.Helper()
	for _, table := range []string{"subscriptions", "events", "deliveries", "notices", "cancellations",
		"attempt_counts"} {
		for _, text := range texts {
			var found bool
			query := fmt.Sprintf(`SELECT EXISTS (SELECT 1 FROM %s.%s r WHERE r::text LIKE '%%' || $1 || '%%'
				OR r::text LIKE '%%' || encode(convert_to($1, 'UTF8'), 'hex') || '%%')`, schema, table)
			if err := pool.QueryRow(t.Context(), query, text).Scan(&found); err != nil {
				t.Fatal(err)
			}
			if found && !slices.Contains(tables, table) {
				tables = append(tables, table)
			}
		}
	}
	return tables
}

// TestEraseLeavesNoRow checks that what an event carried is in no row of any table afterwards: of a
// delivery that is pending, one that is finished, and one of an unsubscribed subscription that no
// Prune has been to.
func TestEraseLeavesNoRow(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	for i := range 3 {
		sub := store.Subscription{ID: fmt.Sprint("s", i), URL: "https://endpoint.example/",
			Status: store.Subscribed}
		if _, err := s.CreateSubscription(t.Context(), sub); err != nil {
			t.Fatal(err)
		}
	}
	evs := someEvents(2)
	evs[0].Payload, evs[0].Trace = []byte(`"`+canary+`"`), canaryTrace
	if err := s.Enqueue(t.Context(), evs...); err != nil {
		t.Fatal(err)
	}
	claims, err := s.Claim(t.Context(), store.ClaimRequest{Max: 3, Lease: time.Hour})
	if err != nil || len(claims.Claims) != 3 {
		t.Fatalf("claims: got %d, %v, want 3", len(claims.Claims), err)
	}
	for i, c := range claims.Claims {
		out := store.Outcome{Lease: c.Lease,
			State:     []store.State{store.Pending, store.Dead, store.Pending}[i],
			BodyState: store.BodyOverridden, BodyOverride: []byte(canary),
			Attempt: store.Attempt{At: time.Now(), Status: 500, Error: "http_status",
				Response: []byte(canary)}}
		if _, err := s.Finish(t.Context(), out); err != nil {
			t.Fatal(err)
		}
	}
	unsubscribe(t, s, claims.Claims[2].SubscriptionID)
	texts := []string{canary, canaryTrace}
	if got, want := rowsWith(t, pool, schema, texts...),
		[]string{"events", "deliveries"}; !slices.Equal(got, want) {
		t.Fatalf("tables with the canary before: got %v, want %v", got, want)
	}
	if n, next, err := s.Erase(t.Context(), store.EraseQuery{EventID: evs[0].ID}); n != 1 ||
		next != "" || err != nil {
		t.Errorf("Erase: got %d, %q, %v, want 1", n, next, err)
	}
	if got := rowsWith(t, pool, schema, texts...); len(got) > 0 {
		t.Errorf("tables with the canary after Erase: got %v, want none", got)
	}
	for i, want := range []string{"erased", "http_status", "unsubscribed"} {
		d := deliveryOf(t, s, claims.Claims[i].SubscriptionID, evs[0].ID)
		if d.LastError != want || d.Attempts != 1 || !d.Erased {
			t.Errorf("delivery %d: got %+v, want it to end with %q after one attempt", i+1, d, want)
		}
	}
}

// TestLateSuccessOfErased has attempts end that were under way when their event was erased. They
// count, and bring nothing back of what was sent. An override of a success is there until then.
func TestLateSuccessOfErased(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	ev := answered(t, s, "")
	page, err := s.Deliveries(t.Context(), store.DeliveryQuery{EventID: ev.ID})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("Deliveries: got %d, %v, want 1", len(page.Items), err)
	}
	success := store.Outcome{
		Lease: store.Lease{SubscriptionID: page.Items[0].SubscriptionID, EventID: ev.ID},
		State: store.Delivered, Attempt: store.Attempt{At: time.Now(), Status: 200},
		BodyState: store.BodyOverridden, BodyOverride: []byte(canary),
	}
	if n, _, err := s.Erase(t.Context(), store.EraseQuery{EventID: ev.ID}); n != 1 || err != nil {
		t.Fatalf("Erase: got %d, %v, want 1", n, err)
	}
	if r, err := s.Finish(t.Context(), success); err != nil || r[0].Ignored {
		t.Fatalf("Finish: got %+v, %v, want it to count", r, err)
	}
	if got := rowsWith(t, pool, schema, canary); len(got) > 0 {
		t.Errorf("tables with the canary: got %v, want none", got)
	}
}

func unsubscribe(t *testing.T, s *pgstore.Store, id string) {
	t.Helper()
	_, err := s.UpdateSubscription(t.Context(), id, func(sub *store.Subscription) error {
		sub.Status = store.Unsubscribed
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

func deliveryOf(t *testing.T, s *pgstore.Store, subscriptionID, eventID string) store.Delivery {
	t.Helper()
	page, err := s.Deliveries(t.Context(),
		store.DeliveryQuery{AnyTenant: true, SubscriptionID: subscriptionID, EventID: eventID})
	if err != nil || len(page.Items) != 1 {
		t.Fatalf("the delivery of %s to %s: got %+v, %v, want one", eventID, subscriptionID, page.Items,
			err)
	}
	return page.Items[0]
}

// TestEraseAmongMany checks that a step of erasing a tenant ends before it has read all events of
// others.
func TestEraseAmongMany(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	subscribeJudge(t, s, newJudge(t))
	const others = 25_000
	fill := `
		INSERT INTO ` + schema + `.events
			(id, type, tenant, key, time, enqueued_at, body, trace, recipients)
		SELECT 'other-' || n, 'message.created', 'other', '', now(), now(), '{}', '', '{}'
		FROM generate_series(1, $1::int) n`
	enqueue := func() events.Event {
		ev := someEvents(1)[0]
		if err := s.Enqueue(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
		return ev
	}
	ours := []events.Event{enqueue()}
	if _, err := pool.Exec(t.Context(), fill, others); err != nil {
		t.Fatal(err)
	}
	ours = append(ours, enqueue())
	var q store.EraseQuery
	var steps []int
	for {
		n, next, err := s.Erase(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		steps = append(steps, n)
		if q.Cursor = next; next == "" {
			break
		}
	}
	if want := []int{1, 0, 1}; !slices.Equal(steps, want) {
		t.Errorf("erased by each step: got %v, want %v", steps, want)
	}
	for _, ev := range ours {
		if got := erased(t, pool, schema, ev.ID); !got {
			t.Errorf("event %s: is not erased", ev.ID)
		}
	}
	if n := countWhere(t, pool, schema, "events",
		"erased_at IS NOT NULL AND tenant = 'other'"); n != 0 {
		t.Errorf("erased of the other tenant: got %d, want none", n)
	}
}

func erased(t *testing.T, pool *pgxpool.Pool, schema, id string) bool {
	t.Helper()
	return countWhere(t, pool, schema, "events", "erased_at IS NOT NULL AND id = '"+id+"'") == 1
}

func countWhere(t testing.TB, pool *pgxpool.Pool, schema, table, condition string) (n int) {
	t.Helper()
	query := fmt.Sprintf("SELECT count(*) FROM %s.%s WHERE %s", schema, table, condition)
	if err := pool.QueryRow(context.Background(), query).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// answered stores a subscription of a tenant, an event of it, and an attempt at it; the event, a
// body of the delivery's own, and what the endpoint has answered carry the canary.
func answered(t *testing.T, s *pgstore.Store, tenant string) events.Event {
	t.Helper()
	if _, err := s.CreateSubscription(t.Context(), store.Subscription{ID: "s", Tenant: tenant,
		URL: "https://endpoint.example/", Status: store.Subscribed}); err != nil {
		t.Fatal(err)
	}
	ev := ofTenant(tenant, 1)[0]
	ev.Payload = []byte(`"` + canary + `"`)
	if err := s.Enqueue(t.Context(), ev); err != nil {
		t.Fatal(err)
	}
	claims, err := s.Claim(t.Context(), store.ClaimRequest{Max: 1, Lease: time.Hour})
	if err != nil || len(claims.Claims) != 1 {
		t.Fatalf("claims: got %d, %v, want 1", len(claims.Claims), err)
	}
	if _, err := s.Finish(t.Context(), store.Outcome{Lease: claims.Claims[0].Lease,
		State: store.Pending, RetryIn: time.Hour, BodyState: store.BodyOverridden,
		BodyOverride: []byte(canary), Attempt: store.Attempt{At: time.Now(), Status: 500,
			Error: "http_status", Response: []byte(canary)}}); err != nil {
		t.Fatal(err)
	}
	return ev
}

// begun opens a transaction that has run a statement, and returns its end and the number of its
// process.
func begun(t *testing.T, pool *pgxpool.Pool, statement string, args ...any) (tx pgx.Tx, pid int) {
	t.Helper()
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tx.Rollback(context.Background()) })
	if _, err := tx.Exec(t.Context(), statement, args...); err != nil {
		t.Fatal(err)
	}
	if err := tx.QueryRow(t.Context(), "SELECT pg_backend_pid()").Scan(&pid); err != nil {
		t.Fatal(err)
	}
	return tx, pid
}

// awaitWaiter waits until a transaction waits for what another has locked.
func awaitWaiter(t *testing.T, pool *pgxpool.Pool, pid int) {
	t.Helper()
	deadline := time.Now().Add(progress)
	for waits := false; !waits; {
		if err := pool.QueryRow(t.Context(), "SELECT EXISTS (SELECT FROM pg_stat_activity a "+
			"WHERE $1 = ANY (pg_blocking_pids(a.pid)))", pid).Scan(&waits); err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatal("nobody waits for the transaction")
		}
	}
}

// TestMoveOfWhatIsBeingErased moves a tenant while an erasure of one of its events has not come to
// the event's deliveries. What they carry must not get into the other database.
func TestMoveOfWhatIsBeingErased(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	from := open(t, pool, schema)
	other, otherSchema := newPool(t)
	to := open(t, other, otherSchema)
	ev := answered(t, from, inhabitant)
	tx, pid := begun(t, pool, "SELECT FROM "+schema+".deliveries FOR UPDATE")
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan error, 1)
	go func() {
		_, _, err := from.Erase(ctx, store.EraseQuery{Tenant: inhabitant, EventID: ev.ID})
		ended <- err
	}()
	awaitWaiter(t, pool, pid)
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Fatalf("Erase that was interrupted: got error %v, want context.Canceled", err)
	}
	// Its connection is closed, which the server does not notice as long as it waits.
	for waits := true; waits; {
		if err := pool.QueryRow(t.Context(), "SELECT count(pg_terminate_backend(a.pid)) > 0 "+
			"FROM pg_stat_activity a WHERE $1 = ANY (pg_blocking_pids(a.pid))",
			pid).Scan(&waits); err != nil {
			t.Fatal(err)
		}
	}
	if err := tx.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := rowsWith(t, pool, schema, canary); !slices.Equal(got, []string{"deliveries"}) {
		t.Fatalf("tables with the canary before: got %v, want deliveries", got)
	}
	s, err := shards.New(number, from, to)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := s.Move(t.Context(), inhabitant, 1); err != nil {
		t.Fatal(err)
	}
	if got := rowsWith(t, other, otherSchema, canary); len(got) > 0 {
		t.Errorf("tables with the canary after the move: got %v, want none", got)
	}
	if d := deliveryOf(t, to, "s", ev.ID); !d.Erased || d.State != store.Canceled || d.Attempts != 1 {
		t.Errorf("the delivery: got %+v, want it canceled after one attempt", d)
	}
	if n := countWhere(t, other, otherSchema, "deliveries", "body_state <> 0"); n != 0 {
		t.Errorf("deliveries with a state of their body: got %d, want none", n)
	}
}

// TestEraseOverlapsFinish erases an event while the first outcome of its delivery is being stored:
// the delivery has no row that the erasure sees, and has one when it writes its own.
func TestEraseOverlapsFinish(t *testing.T) {
	t.Parallel()
	for state, want := range map[int]string{0: "erased", 2: "http_status"} {
		pool, schema := newPool(t)
		s := open(t, pool, schema)
		if _, err := s.CreateSubscription(t.Context(), store.Subscription{ID: "s",
			URL: "https://endpoint.example/", Status: store.Subscribed}); err != nil {
			t.Fatal(err)
		}
		ev := someEvents(1)[0]
		if err := s.Enqueue(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
		tx, pid := begun(t, pool, `
			INSERT INTO `+schema+`.deliveries (sub, seq, state, due, attempts, last_error, finished_at,
				answers, body, body_state)
			SELECT r.sub, e.seq, $1::smallint, CASE $1::smallint WHEN 0 THEN 1 END, 1, 'http_status',
				CASE $1::smallint WHEN 0 THEN NULL ELSE now() END, $2::bytea, $2::bytea, 1
			FROM `+schema+`.events e, unnest(e.recipients) AS r(sub)`, state, []byte(canary))
		ended := make(chan error, 1)
		go func() {
			_, _, err := s.Erase(t.Context(), store.EraseQuery{EventID: ev.ID})
			ended <- err
		}()
		awaitWaiter(t, pool, pid)
		if err := tx.Commit(t.Context()); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; err != nil {
			t.Fatal(err)
		}
		if got := rowsWith(t, pool, schema, canary); len(got) > 0 {
			t.Errorf("state %d: tables with the canary: got %v, want none", state, got)
		}
		if d := deliveryOf(t, s, "s", ev.ID); d.LastError != want || d.State == store.Pending {
			t.Errorf("state %d: got %+v, want it to end with %q", state, d, want)
		}
	}
}

package pgstore_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// shares is how many there are.
const shares = 64

// stay makes a replica take part, as a dispatcher does, until the returned function is called or
// the test ends.
func stay(t *testing.T, s *pgstore.Store, claims func([]store.Claim)) (stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	var claiming sync.WaitGroup
	claiming.Go(func() {
		for ctx.Err() == nil {
			got, err := s.Claim(ctx, store.ClaimRequest{Max: 10, Lease: time.Minute})
			if err != nil && ctx.Err() == nil {
				t.Errorf("Claim: %v", err)
				return
			}
			claims(got.Claims)
			if len(got.Claims) > 0 {
				continue
			}
			select {
			case <-s.Ready():
			case <-ctx.Done():
			}
		}
	})
	stop = func() { cancel(); claiming.Wait() }
	t.Cleanup(stop)
	return stop
}

// TestSharesAreDealt checks that replicas that come get their part and none has another's, that one
// alone has all, that what a stopped one had goes on, and that nothing is delivered twice
// meanwhile.
func TestSharesAreDealt(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	first := open(t, pool, schema)
	subscribeMany(t, pool, schema, 200)
	var mu sync.Mutex
	got := make(map[store.Lease]int)
	run := func(s *pgstore.Store) (stop func()) {
		return stay(t, s, func(claims []store.Claim) {
			deliver(t, s, claims...)
			mu.Lock()
			defer mu.Unlock()
			for _, c := range claims {
				got[store.Lease{SubscriptionID: c.SubscriptionID, EventID: c.EventID}]++
			}
		})
	}
	arrived := func(n int) func() bool {
		return func() bool {
			mu.Lock()
			defer mu.Unlock()
			return len(got) == n
		}
	}
	stop := run(first)
	await(t, "one alone has all", func() bool { return first.Owned() == shares })
	publish := func(s *pgstore.Store) {
		if err := s.Enqueue(t.Context(), someEvents(1)...); err != nil {
			t.Fatal(err)
		}
	}
	publish(first)
	second, third := open(t, pool, schema), open(t, pool, schema)
	stopSecond, stopThird := run(second), run(third)
	publish(second)
	await(t, "three have equal parts", func() bool {
		parts := []int{first.Owned(), second.Owned(), third.Owned()}
		return parts[0]+parts[1]+parts[2] == shares && slices.Max(parts) <= (shares+2)/3
	})
	publish(third)
	await(t, "all of three events arrive", arrived(600))
	stop()
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	await(t, "the others have what the stopped one had", func() bool {
		return second.Owned()+third.Owned() == shares
	})
	publish(third)
	await(t, "all of four events arrive", arrived(800))
	stopSecond()
	stopThird()
	mu.Lock()
	defer mu.Unlock()
	for d, n := range got {
		if n > 1 {
			t.Errorf("%v: delivered %d times, want once", d, n)
		}
	}
}

// TestOpenTransactionOfAnotherReplica checks that what a host publishes in a transaction that stays
// open while others publish and finish is delivered when it commits, by the owner of its share, and
// that nobody waits for it.
func TestOpenTransactionOfAnotherReplica(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	owner, other := open(t, pool, schema), open(t, pool, schema)
	subscribeJudge(t, owner, newJudge(t))
	if got := claimAll(t, owner); len(got) != 0 {
		t.Fatalf("claims: got %v, want none", got)
	}
	tx, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback(context.Background())
	late, undone := someEvents(3), someEvents(2)
	if err := other.Tx(tx).Enqueue(t.Context(), late...); err != nil {
		t.Fatal(err)
	}
	gone, err := pool.Begin(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Tx(gone).Enqueue(t.Context(), undone...); err != nil {
		t.Fatal(err)
	}
	for i := range 30 { // the low mark passes the open transaction
		s := []*pgstore.Store{owner, other}[i%2]
		if err := s.Enqueue(t.Context(), someEvents(1)...); err != nil {
			t.Fatal(err)
		}
		claims := claimAll(t, owner)
		if len(claims) != 1 {
			t.Fatalf("claims while a transaction is open: got %d, want the one that was published",
				len(claims))
		}
		deliver(t, owner, claims...)
	}
	if err := owner.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := gone.Rollback(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(t.Context()); err != nil {
		t.Fatal(err)
	}
	claims := claimAll(t, owner)
	var got []string
	for _, c := range claims {
		got = append(got, c.EventID)
	}
	if want := ids(late); !slices.Equal(got, want) {
		t.Fatalf("claims after the commit: got %v, want %v", got, want)
	}
	if err := owner.Close(); err != nil { // what it had claimed, another gets
		t.Fatal(err)
	}
	if got, want := claimIDs(t, other), ids(late); !slices.Equal(got, want) {
		t.Errorf("claims of the next owner: got %v, want %v", got, want)
	}
}

// TestLostAnswerToAPublish checks that an event is delivered whose commit the publisher never
// learned of: it was told that it failed, and does not try again.
func TestLostAnswerToAPublish(t *testing.T) {
	t.Parallel()
	needServer(t)
	p := newProxy(t, serverURL)
	// No round trip but that of the transaction: not to connect, to see whether a connection is
	// good, or to prepare.
	const connections = 8
	config, err := pgxpool.ParseConfig(
		fmt.Sprintf("%s&default_query_exec_mode=exec&pool_max_conns=%d", p.url, connections))
	if err != nil {
		t.Fatal(err)
	}
	config.ShouldPing = func(context.Context, pgxpool.ShouldPingParams) bool { return false }
	through, err := pgxpool.NewWithConfig(t.Context(), config)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(through.Close)
	direct, schema := newPool(t)
	open(t, direct, schema)
	s, err := pgstore.New(through,
		&pgstore.Options{Schema: schema, PollOnly: true, PollInterval: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	subscribeJudge(t, s, newJudge(t))
	if err := s.Enqueue(t.Context(), someEvents(1)...); err != nil {
		t.Fatal(err)
	}
	deliver(t, s, claimAll(t, s)...)
	for _, conn := range acquire(t, through, connections) {
		conn.Release()
	}
	p.hold(true)
	ctx, cancel := context.WithCancel(t.Context())
	published := make(chan error, 1)
	ev := someEvents(1)
	go func() { published <- s.Enqueue(ctx, ev...) }()
	await(t, "the event is committed", func() bool { return count(t, direct, schema, "events") == 2 })
	cancel()
	if err := <-published; err == nil {
		t.Error("Enqueue whose answer was lost: got no error, want one")
	}
	p.reset()
	var got []string
	await(t, "the event is claimed", func() bool {
		claims, err := s.Claim(t.Context(), store.ClaimRequest{Max: 10, Lease: time.Hour})
		for _, c := range claims.Claims {
			got = append(got, c.EventID)
		}
		return err == nil && len(got) > 0
	})
	if want := ids(ev); !slices.Equal(got, want) {
		t.Errorf("claims: got %v, want %v", got, want)
	}
}

// acquire takes so many connections of a pool at the same time.
func acquire(t *testing.T, pool *pgxpool.Pool, n int) (conns []*pgxpool.Conn) {
	t.Helper()
	for range n {
		conn, err := pool.Acquire(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		conns = append(conns, conn)
	}
	return conns
}

// TestSpill checks that what stays behind gets rows, so that neither memory nor what a new owner
// reads grows with the backlog, and that the order stays.
func TestSpill(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	subscribeMany(t, pool, schema, 3)
	claimAll(t, s)
	s.SetRowless(100, 1000)
	evs := someEvents(200)
	if err := s.Enqueue(t.Context(), evs...); err != nil {
		t.Fatal(err)
	}
	if err := s.Spill(t.Context()); err != nil {
		t.Fatal(err)
	}
	if n := s.Rowless(); n > 100 {
		t.Errorf("pending without a row: got %d, want at most 100", n)
	}
	if got, want := pending(t, s), 600; got != want {
		t.Errorf("pending: got %d, want %d", got, want)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	next := open(t, pool, schema)
	got := make(map[string][]string)
	for claims := claimAll(t, next); len(claims) > 0; claims = claimAll(t, next) {
		for _, c := range claims {
			got[c.SubscriptionID] = append(got[c.SubscriptionID], c.EventID)
		}
		deliver(t, next, claims...)
	}
	for n := range 3 {
		if id := fmt.Sprint("wide-", n+1); !slices.Equal(got[id], ids(evs)) {
			t.Errorf("delivered to %s: got %d events, want all of them in their order", id, len(got[id]))
		}
	}
	if err := next.Renew(t.Context()); err != nil {
		t.Fatal(err)
	}
	var low int64
	query := "SELECT min(low) FROM " + pgx.Identifier{schema}.Sanitize() + ".shares"
	if err := pool.QueryRow(t.Context(), query).Scan(&low); err != nil || low < 200 {
		t.Errorf("the lowest low mark when all is delivered: got %d, %v, want at least 200", low, err)
	}
}

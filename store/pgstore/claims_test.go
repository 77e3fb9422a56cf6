package pgstore_test

import (
	"errors"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// emptyTurns makes so many subscriptions that look as if they had something to claim and have nothing,
// as an Erase leaves them.
func emptyTurns(t *testing.T, pool *pgxpool.Pool, schema string, n int) {
	t.Helper()
	subscribeMany(t, pool, schema, n)
	ready := "UPDATE " + pgx.Identifier{schema}.Sanitize() + ".turns SET ready = true"
	if _, err := pool.Exec(t.Context(), ready); err != nil {
		t.Fatal(err)
	}
}

// TestClaimIsBounded checks that a Claim passes many subscriptions with nothing to give in a few
// rounds, and that it returns what it has when its time is over, with a Wait that says that there may
// be more.
func TestClaimIsBounded(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	sub := subscribeJudge(t, s, newJudge(t))
	ev := someEvents(1)
	if err := s.Enqueue(t.Context(), ev...); err != nil {
		t.Fatal(err)
	}
	emptyTurns(t, pool, schema, 20_000)
	req := store.ClaimRequest{Max: 10, Lease: time.Hour}

	s.SetClaimTime(0)
	first, err := s.Claim(t.Context(), req)
	if err != nil || first.NextDue != 0 {
		t.Errorf("a claim without time: got a wait of %v, %v, want 0, as there may be more", first.NextDue, err)
	}
	s.SetClaimTime(time.Hour)
	before := s.Claimed()
	second, err := s.Claim(t.Context(), req)
	if err != nil || second.NextDue == 0 {
		t.Errorf("a claim with time: got a wait of %v, %v, want it to have looked at all", second.NextDue, err)
	}
	// 100, 400, 1600, 6400, and twice 10,000 at most.
	if rounds := s.Claimed() - before; rounds > 8 {
		t.Errorf("rounds for 20,000 subscriptions with nothing to give: got %d, want at most 8", rounds)
	}
	claims := append(first.Claims, second.Claims...)
	if len(claims) != 1 || claims[0].SubscriptionID != sub.ID {
		t.Errorf("claims: got %d, want the one of the subscription that has something", len(claims))
	}
}

// TestClaimReturnsNoStaleLeases checks that leases which have run out before the answer came are given
// back and not returned: somebody else may have them.
func TestClaimReturnsNoStaleLeases(t *testing.T) {
	t.Parallel()
	needServer(t)
	p := newProxy(t, serverURL)
	pool, err := pgxpool.New(t.Context(), p.url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	direct, schema := newPool(t)
	other := open(t, direct, schema)
	subscribeJudge(t, other, newJudge(t))
	s, err := pgstore.New(pool, &pgstore.Options{Schema: schema, PollOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	claimAll(t, s) // it is connected, and has its numbers
	if err := other.Enqueue(t.Context(), someEvents(1)...); err != nil {
		t.Fatal(err)
	}
	p.hold(true)
	const lease = 3 * time.Second
	type answer struct {
		claims store.ClaimResult
		err    error
	}
	answered := make(chan answer, 1)
	go func() {
		claims, err := s.Claim(t.Context(), store.ClaimRequest{Max: 1, Lease: lease})
		answered <- answer{claims, err}
	}()
	var theirs []store.Claim
	await(t, "the lease has run out, and another replica has the delivery", func() bool {
		stats, err := other.Stats(t.Context(), "")
		if err != nil {
			t.Fatal(err)
		}
		if stats.InFlight > 0 {
			return false
		}
		if len(theirs) == 0 && s.Claimed() > 1 {
			theirs = claimOf(t, direct, schema, other)
		}
		return len(theirs) > 0
	})
	p.hold(false)
	got := <-answered
	if got.err != nil || len(got.claims.Claims) > 0 {
		t.Errorf("the late claim: got %v, %v, want none: another replica has it", got.claims.Claims, got.err)
	}
	deliver(t, other, theirs...)
}

// claimOf claims what another claim has leased before, when that has run out.
func claimOf(t *testing.T, pool *pgxpool.Pool, schema string, s *pgstore.Store) []store.Claim {
	t.Helper()
	var leased bool
	query := "SELECT EXISTS (SELECT 1 FROM " + pgx.Identifier{schema}.Sanitize() + ".leases WHERE token <> 0)"
	if err := pool.QueryRow(t.Context(), query).Scan(&leased); err != nil || !leased {
		return nil
	}
	return claimAll(t, s)
}

// TestNumbersAtTheEdge checks that no number overflows on its way to the server: a time that is too
// long is very long, a limit that is too large is none.
func TestNumbersAtTheEdge(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]int64{
		0: 0, 1: 1, time.Microsecond: 1, time.Microsecond + 1: 2, -time.Microsecond: -1, -1: 0,
		math.MaxInt64: math.MaxInt64/1000 + 1, math.MaxInt64 - 1: math.MaxInt64/1000 + 1,
	} {
		if got := pgstore.Micros(d); got != want {
			t.Errorf("microseconds of %v: got %d, want %d", int64(d), got, want)
		}
	}
	if got := pgstore.FromMicros(pgstore.Micros(math.MaxInt64)); got != math.MaxInt64 {
		t.Errorf("the longest duration and back: got %v", got)
	}
	s := newStore(t)
	sub := subscribeJudge(t, s, newJudge(t))
	if err := s.Enqueue(t.Context(), someEvents(3)...); err != nil {
		t.Fatal(err)
	}
	claims, err := s.Claim(t.Context(), store.ClaimRequest{
		Max: math.MaxInt, Lease: math.MaxInt64, PerSubscription: math.MaxInt, MaxUnhealthy: math.MaxInt, MaxFailing: math.MaxInt,
		BreakerThreshold: math.MaxInt,
	})
	if refused(err) {
		t.Skip("the contract refuses these")
	}
	if err != nil || len(claims.Claims) != 3 {
		t.Fatalf("claims with the largest limits: got %d, %v, want 3", len(claims.Claims), err)
	}
	deliver(t, s, claims.Claims[0])
	_, err = s.Finish(t.Context(),
		store.Outcome{Lease: claims.Claims[1].Lease, State: store.Pending, RetryIn: math.MaxInt64},
		store.Outcome{Lease: claims.Claims[2].Lease, State: store.Dead, Attempt: store.Attempt{Status: math.MaxInt}})
	if err != nil && !refused(err) {
		t.Errorf("Finish with the longest retry: %v", err)
	}
	if got := claimAll(t, s); err == nil && len(got) > 0 {
		t.Errorf("claims while the only delivery waits for 292 years: got %d, want none", len(got))
	}
	edges(t, s, sub.ID)
}

// edges calls what takes other limits and times with the largest.
func edges(t *testing.T, s *pgstore.Store, sub string) {
	t.Helper()
	if _, err := s.Prune(t.Context(), store.Retention{Delivered: math.MaxInt64, Failed: math.MaxInt64}); err != nil && !refused(err) {
		t.Errorf("Prune: %v", err)
	}
	var far time.Time
	q := store.DeliveryQuery{SubscriptionID: sub, Limit: math.MaxInt, Since: far.AddDate(-5000, 0, 0), Until: far.AddDate(400_000, 0, 0)}
	page, err := s.Deliveries(t.Context(), q)
	if !refused(err) && (err != nil || len(page.Items) != 3) {
		t.Errorf("deliveries of all times after a Prune of what is older than 292 years: got %d, %v, want 3", len(page.Items), err)
	}
	subs, err := s.Subscriptions(t.Context(), store.SubscriptionQuery{AnyTenant: true, Limit: math.MaxInt})
	if !refused(err) && (err != nil || len(subs.Items) != 1) {
		t.Errorf("subscriptions: got %d, %v, want 1", len(subs.Items), err)
	}
	if n, _, err := s.Erase(t.Context(), store.EraseQuery{Limit: math.MaxInt}); !refused(err) && (err != nil || n != 3) {
		t.Errorf("Erase: got %d, %v, want 3", n, err)
	}
}

// refused reports whether an error says that the input is bad, and which field.
func refused(err error) bool {
	var invalid *events.InvalidError
	return errors.As(err, &invalid) && strings.TrimSpace(invalid.Field) != ""
}

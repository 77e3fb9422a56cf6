package pgstore_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// lossy is a store whose network can lose the answer to a transaction, and a pool with a network
// that loses nothing.
type lossy struct {
	*pgstore.Store
	network *proxy
	direct  *pgxpool.Pool
	schema  string
}

func newLossy(t *testing.T) *lossy {
	t.Helper()
	needServer(t)
	p := newProxy(t, serverURL)
	// Statements are sent as text, by which the proxy knows them.
	config, err := pgxpool.ParseConfig(p.url + "&default_query_exec_mode=exec&pool_max_conns=8")
	if err != nil {
		t.Fatal(err)
	}
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
	return &lossy{s, p, direct, schema}
}

// awaitCount waits until so many rows are selected.
func (l *lossy) awaitCount(t *testing.T, want int, rows string) {
	t.Helper()
	await(t, fmt.Sprintf("%s: %d", rows, want), func() bool {
		return count(t, l.direct, l.schema, rows) == want
	})
}

// awaitClaim claims until there is something, and returns what.
func (l *lossy) awaitClaim(t *testing.T) []store.Claim {
	t.Helper()
	var got []store.Claim
	await(t, "something is claimed", func() bool {
		// It may fail while connections are made anew.
		claims, _ := l.Claim(t.Context(), store.ClaimRequest{Max: 10, Lease: time.Hour})
		got = claims.Claims
		return len(got) > 0
	})
	return got
}

// TestLostAnswerToALook checks that what another replica has published is delivered, though the
// owner never learned that it had taken the notice: the notice is gone.
func TestLostAnswerToALook(t *testing.T) {
	t.Parallel()
	l := newLossy(t)
	subscribeJudge(t, l, newJudge(t))
	claimAll(t, l.Store)
	l.network.loseAnswerTo("DELETE FROM \"" + l.schema + "\".notices")
	evs := someEvents(1)
	if err := connectStore(t, l.direct, l.schema).Enqueue(t.Context(), evs...); err != nil {
		t.Fatal(err)
	}
	l.network.awaitLoss(t)
	l.awaitCount(t, 0, "notices")
	l.network.reset()
	if got := l.awaitClaim(t)[0].EventID; got != evs[0].ID {
		t.Errorf("claimed: got %s, want %s", got, evs[0].ID)
	}
}

// TestLostAnswerToAFinish checks that what waits behind a delivery of its key is delivered, though
// the owner never learned that it had recorded the end of that.
func TestLostAnswerToAFinish(t *testing.T) {
	t.Parallel()
	l := newLossy(t)
	subscribeJudge(t, l, newJudge(t))
	evs := someEvents(2)
	for i := range evs {
		evs[i].Key = "k"
	}
	if err := l.Enqueue(t.Context(), evs...); err != nil {
		t.Fatal(err)
	}
	claims := claimAll(t, l.Store)
	if len(claims) != 1 {
		t.Fatalf("claims: got %d, want the first of the key", len(claims))
	}
	outcome := store.Outcome{Lease: claims[0].Lease, State: store.Delivered}
	l.network.loseAnswerTo("INSERT INTO \"" + l.schema + "\".deliveries (sub, seq, state, due")
	finished := make(chan error, 1)
	go func() { _, err := l.Finish(t.Context(), outcome); finished <- err }()
	l.network.awaitLoss(t)
	l.awaitCount(t, 1, "deliveries WHERE state = 1")
	l.network.reset()
	if err := <-finished; err == nil {
		t.Error("Finish whose answer was lost: got no error")
	}
	// As a dispatcher does.
	if _, err := l.Finish(t.Context(), outcome); err != nil {
		t.Fatal(err)
	}
	if got := l.awaitClaim(t)[0].EventID; got != evs[1].ID {
		t.Errorf("claimed: got %s, want %s", got, evs[1].ID)
	}
}

// TestLateAnswerToAClaim checks that a replica that gets the answer to its Claim only when another
// has its shares hands out nothing of what the other has claimed.
func TestLateAnswerToAClaim(t *testing.T) {
	t.Parallel()
	l := newLossy(t)
	subscribeJudge(t, l, newJudge(t))
	claimAll(t, l.Store)
	if err := l.Enqueue(t.Context(), someEvents(1)...); err != nil {
		t.Fatal(err)
	}
	l.network.loseAnswerTo("SELECT o.ord, e.id, e.type") // claim.sql
	late := make(chan []store.Claim, 1)
	go func() {
		result, _ := l.Claim(t.Context(), store.ClaimRequest{Max: 10, Lease: time.Hour})
		late <- result.Claims
	}()
	l.network.awaitLoss(t)
	other := connectStore(t, l.direct, l.schema)
	await(t, "another replica has taken over, and claims", func() bool {
		return len(claimAll(t, other)) == 1
	})
	l.network.hold(false)
	if got := <-late; len(got) > 0 {
		t.Errorf("claims whose answer was late: got %v, want none", got)
	}
}

// TestUpdateElsewhereHoldsAtOnce checks that what another replica has changed of a subscription
// holds for a Claim that begins after the call, though the owner has not been told: a pause, the
// closing of its tenant, and another URL.
func TestUpdateElsewhereHoldsAtOnce(t *testing.T) {
	t.Parallel()
	const url = "https://another.example/"
	for name, change := range map[string]func(context.Context, *pgstore.Store, string) error{
		"pause": func(ctx context.Context, s *pgstore.Store, id string) error {
			_, err := s.UpdateSubscription(ctx, id, func(sub *store.Subscription) error {
				sub.Status = store.Paused
				return nil
			})
			return err
		},
		"closed tenant": func(ctx context.Context, s *pgstore.Store, _ string) error {
			return s.SetTenantState(ctx, "", store.TenantState{
				Phase: store.TenantLeaving, Peer: 1,
			})
		},
		"url": func(ctx context.Context, s *pgstore.Store, id string) error {
			_, err := s.UpdateSubscription(ctx, id, func(sub *store.Subscription) error {
				sub.URL = url
				return nil
			})
			return err
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pool, schema := newPool(t)
			open(t, pool, schema)
			owner, err := pgstore.New(pool,
				&pgstore.Options{Schema: schema, PollOnly: true, PollInterval: time.Hour})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { owner.Close() })
			sub := subscribeJudge(t, owner, newJudge(t))
			publish := func() {
				if err := owner.Enqueue(t.Context(), someEvents(1)...); err != nil {
					t.Fatal(err)
				}
			}
			// The owner knows the subscription by what it has claimed of it.
			publish()
			deliver(t, owner, claimAll(t, owner)...)
			publish()
			if err := change(t.Context(), connectStore(t, pool, schema), sub.ID); err != nil {
				t.Fatal(err)
			}
			claims := claimAll(t, owner)
			switch {
			case name == "url" && (len(claims) != 1 || claims[0].Subscription.URL != url):
				t.Errorf("claims: got %v, want one for the new URL", claims)
			case name != "url" && len(claims) > 0:
				t.Errorf("claims: got %v, want none", claims)
			}
		})
	}
}

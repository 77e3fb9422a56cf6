package pgstore_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// TestDatabaseSettings checks that a store works whatever the database has set for its
// transactions, with several replicas that get in each other's way.
func TestDatabaseSettings(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{
		"default_transaction_isolation = 'serializable'",
		"default_transaction_isolation = 'repeatable read'",
		"default_transaction_read_only = on",
		"enable_nestloop = off",
	} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			stores, _ := storesWith(t, setting)
			sub := subscribeJudge(t, stores[0], newJudge(t))
			useTogether(t, stores, sub.ID)
		})
	}
}

// TestDatabaseTimeouts checks that a store goes by timeouts of its own: what the database has set
// for the short queries of a host does not end a claim that waits for its turn.
func TestDatabaseTimeouts(t *testing.T) {
	t.Parallel()
	for _, setting := range []string{"statement_timeout = '300ms'", "lock_timeout = '300ms'"} {
		t.Run(setting, func(t *testing.T) {
			t.Parallel()
			stores, url := storesWith(t, setting)
			subscribeJudge(t, stores[0], newJudge(t))
			if err := stores[0].Enqueue(t.Context(), someEvents(1)...); err != nil {
				t.Fatal(err)
			}
			admin := connect(t, url)
			tx, err := admin.Begin(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			if _, err := tx.Exec(t.Context(), "SELECT 1 FROM outhook.shares FOR UPDATE"); err != nil {
				t.Fatal(err)
			}
			claimed := make(chan error, 1)
			go func() {
				claims, err := stores[1].Claim(context.Background(),
					store.ClaimRequest{Max: 1, Lease: time.Hour})
				if err == nil && len(claims.Claims) != 1 {
					err = fmt.Errorf("got %d claims, want 1", len(claims.Claims))
				}
				claimed <- err
			}()
			await(t, "a claim that has waited for longer than the database lets statements wait",
				func() bool {
					var waits bool
					err := admin.QueryRow(t.Context(), `SELECT pg_stat_clear_snapshot() IS NOT NULL AND EXISTS (
					SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'
						AND clock_timestamp() - query_start > interval '600 ms')`).Scan(&waits)
					if err != nil {
						t.Fatal(err)
					}
					select {
					case err := <-claimed:
						t.Fatalf("the claim has ended before its turn: %v", err)
					default:
					}
					return waits
				})
			if err := tx.Commit(t.Context()); err != nil {
				t.Fatal(err)
			}
			if err := <-claimed; err != nil {
				t.Error(err)
			}
		})
	}
}

// await polls until the condition holds. The time it has is for the slowest of machines.
func await(t *testing.T, what string, ok func() bool) {
	t.Helper()
	ticker := time.NewTicker(10 * time.Millisecond)
	defer ticker.Stop()
	for deadline := time.Now().Add(3 * time.Minute); !ok(); <-ticker.C {
		if time.Now().After(deadline) {
			t.Fatalf("%s: not within three minutes", what)
		}
	}
}

// storesWith returns three stores on a database that has the setting.
func storesWith(t *testing.T, setting string) (stores []*pgstore.Store, url string) {
	t.Helper()
	pool, schema := newPool(t)
	database := schema
	admin := func(statement string) {
		if _, err := pool.Exec(context.Background(), statement); err != nil {
			t.Fatal(err)
		}
	}
	admin("CREATE DATABASE " + database)
	t.Cleanup(func() { admin("DROP DATABASE " + database + " WITH (FORCE)") })
	url = strings.Replace(serverURL, "/postgres?", "/"+database+"?", 1)
	migrated, err := pgstore.Open(t.Context(), url, nil)
	if err != nil {
		t.Fatal(err)
	}
	migrated.Close()
	admin("ALTER DATABASE " + database + " SET " + setting)

	stores = make([]*pgstore.Store, 3)
	for i := range stores {
		p, err := pgxpool.New(t.Context(), url)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.Close)
		if stores[i], err = pgstore.New(p, nil); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { stores[i].Close() })
	}
	return stores, url
}

// useTogether has all stores do everything at once, until all that they have published is
// delivered.
func useTogether(t *testing.T, stores []*pgstore.Store, sub string) {
	t.Helper()
	const each = 12
	var using sync.WaitGroup
	for _, s := range stores {
		using.Go(func() {
			for range each {
				ev := keyedEvents(1)
				ev[0].Key = ev[0].ID[len(ev[0].ID)-1:] // one of sixteen
				if err := s.Enqueue(t.Context(), ev...); err != nil {
					t.Error(err)
				}
			}
		})
		using.Go(func() {
			for range each {
				claimAndDeliver(t, s)
			}
		})
		using.Go(func() {
			for i := range each / 3 {
				_, err := s.UpdateSubscription(t.Context(), sub, func(sub *store.Subscription) error {
					sub.Name = fmt.Sprint(i)
					return nil
				})
				if err != nil {
					t.Error(err)
				}
				if _, err := s.Prune(t.Context(), store.Retention{}); err != nil {
					t.Error(err)
				}
				if _, err := s.Stats(t.Context(), sub); err != nil {
					t.Error(err)
				}
			}
		})
	}
	using.Wait()
	await(t, "everything is delivered", func() bool {
		for _, s := range stores { // one of them has the subscription
			claimAndDeliver(t, s)
		}
		page, err := stores[0].Deliveries(t.Context(), store.DeliveryQuery{
			SubscriptionID: sub, States: []store.State{store.Delivered}, Count: true,
		})
		if err != nil {
			t.Fatal(err)
		}
		return page.Total == each*len(stores)
	})
}

// claimAndDeliver reports whether there was anything to claim.
func claimAndDeliver(t *testing.T, s *pgstore.Store) bool {
	claims, err := s.Claim(t.Context(), store.ClaimRequest{Max: 10, Lease: time.Hour})
	if err != nil {
		t.Error(err)
		return false
	}
	if len(claims.Claims) == 0 {
		return false
	}
	outcomes := make([]store.Outcome, len(claims.Claims))
	for i, c := range claims.Claims {
		outcomes[i] = store.Outcome{Lease: c.Lease, State: store.Delivered}
	}
	if _, err := s.Finish(t.Context(), outcomes...); err != nil {
		t.Error(err)
	}
	return true
}

// TestExecModes checks that a store works with each way in which pgx can send statements, but for
// the simple protocol, which New refuses by name. EnqueueTx works with all of them.
func TestExecModes(t *testing.T) {
	t.Parallel()
	needServer(t)
	for _, mode := range []string{"cache_statement", "cache_describe", "describe_exec", "exec",
		"simple_protocol"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			pool, err := pgxpool.New(t.Context(), serverURL+"&default_query_exec_mode="+mode)
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(pool.Close)
			_, schema := newPool(t)
			testEnqueueTxOn(t, pool, schema)
			s, err := pgstore.New(pool, &pgstore.Options{Schema: schema})
			if mode == "simple_protocol" {
				if err == nil || !strings.Contains(err.Error(), "default_query_exec_mode") ||
					!strings.Contains(err.Error(), mode) {
					t.Errorf("New: got %v, want an error that names the setting", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { s.Close() })
			sub := subscribeJudge(t, s, newJudge(t))
			useTogether(t, []*pgstore.Store{s}, sub.ID)
			useAll(t, s, sub.ID)
		})
	}
}

// testEnqueueTxOn publishes in a transaction of the host's pool.
func testEnqueueTxOn(t *testing.T, pool *pgxpool.Pool, schema string) {
	t.Helper()
	p, _ := newPool(t)
	s := open(t, p, schema)
	subscribeMany(t, p, schema, 1)
	ev := someEvents(1)
	ev[0].Payload = []byte(`"'\\ \u0027 it's"`)
	err := pgx.BeginFunc(t.Context(), pool, func(tx pgx.Tx) error {
		return s.Tx(tx).Enqueue(t.Context(), ev...)
	})
	if err != nil {
		t.Errorf("EnqueueTx: %v", err)
	}
	claims := claimAll(t, s)
	want, err := ev[0].Body()
	if err != nil || len(claims) != 1 || string(claims[0].Body) != string(want) {
		t.Errorf("claims after EnqueueTx: got %+v, %v, want the event with body %s", claims, err, want)
	}
	deliver(t, s, claims...)
	if err := s.DeleteSubscription(t.Context(), "wide-1"); err != nil {
		t.Error(err)
	}
}

// calls are all methods of a store that go to the server.
func calls(s *pgstore.Store, sub string) map[string]func(context.Context) error {
	return map[string]func(context.Context) error{
		"CreateSubscription": func(ctx context.Context) error {
			_, err := s.CreateSubscription(ctx, store.Subscription{
				ID: someEvents(1)[0].ID, URL: "https://endpoint.example/", Status: store.Subscribed,
			})
			return err
		},
		"UpdateSubscription": func(ctx context.Context) error {
			_, err := s.UpdateSubscription(ctx, sub, func(sub *store.Subscription) error {
				sub.Name += "x"
				return nil
			})
			return err
		},
		"Subscription": func(ctx context.Context) error {
			_, err := s.Subscription(ctx, sub)
			return err
		},
		"Subscriptions": func(ctx context.Context) error {
			_, err := s.Subscriptions(ctx, store.SubscriptionQuery{AnyTenant: true})
			return err
		},
		"DeleteSubscription": func(ctx context.Context) error {
			err := s.DeleteSubscription(ctx, "nobody")
			if err != nil && strings.Contains(err.Error(), store.ErrNotFound.Error()) {
				err = nil
			}
			return err
		},
		"Enqueue": func(ctx context.Context) error { return s.Enqueue(ctx, someEvents(1)...) },
		"Claim": func(ctx context.Context) error {
			_, err := s.Claim(ctx, store.ClaimRequest{Max: 1, Lease: time.Hour})
			return err
		},
		"Finish": func(ctx context.Context) error {
			_, err := s.Finish(ctx, store.Outcome{Lease: store.Lease{SubscriptionID: sub, EventID: "x"},
				State: store.Dead})
			return err
		},
		"Release": func(ctx context.Context) error {
			return s.Release(ctx, store.Lease{SubscriptionID: sub, Token: 1})
		},
		"Deliveries": func(ctx context.Context) error {
			_, err := s.Deliveries(ctx, store.DeliveryQuery{AnyTenant: true, Count: true})
			return err
		},
		"Attempts": func(ctx context.Context) error {
			_, err := s.Attempts(ctx, sub, "x")
			if err != nil && strings.Contains(err.Error(), store.ErrNotFound.Error()) {
				err = nil
			}
			return err
		},
		"Requeue": func(ctx context.Context) error {
			_, err := s.Requeue(ctx, store.DeliveryQuery{AnyTenant: true})
			return err
		},
		"Erase": func(ctx context.Context) error {
			_, _, err := s.Erase(ctx, store.EraseQuery{})
			return err
		},
		"Prune": func(ctx context.Context) error {
			_, err := s.Prune(ctx, store.Retention{})
			return err
		},
		"Stats":   func(ctx context.Context) error { _, err := s.Stats(ctx, sub); return err },
		"Migrate": s.Migrate,
	}
}

// useAll calls every method once.
func useAll(t *testing.T, s *pgstore.Store, sub string) {
	t.Helper()
	for name, call := range calls(s, sub) {
		if err := call(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

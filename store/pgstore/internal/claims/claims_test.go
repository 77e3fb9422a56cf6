package claims_test

import (
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/claims"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/ownership"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/roomtest"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

func TestMain(m *testing.M) { os.Exit(roomtest.Main(m)) }

// claimer is a replica that claims, on a schema with one subscription.
type claimer struct {
	*replica.Replica
	*claims.Claims
	pool *pgxpool.Pool
	sub  uint64
}

func newClaimer(t *testing.T) *claimer {
	t.Helper()
	r, pool := roomtest.NewReplica(t, roomtest.NewSchema(t))
	c := &claimer{r, claims.New(r, ownership.New(r, ownership.IdleAfter)), pool, 0}
	c.row(t, `WITH s AS (
			INSERT INTO outhook.subscriptions (id, tenant, name, url, events, header_names,
				header_values, secrets, status, disabled_reason, created_at, updated_at, subscribed_at)
			VALUES ('s', '', '', 'https://endpoint.example/', '{}', '{}', '{}', '{}', 'Subscribed', '',
				now(), now(), now())
			RETURNING num
		), h AS (INSERT INTO outhook.health (sub) SELECT num FROM s)
		SELECT num FROM s`, nil, &c.sub)
	return c
}

// row runs a statement that returns one row.
func (c *claimer) row(t *testing.T, query string, args []any, dest ...any) {
	t.Helper()
	query = strings.ReplaceAll(query, "outhook.", c.Schema.Quoted()+".")
	if err := c.pool.QueryRow(t.Context(), query, args...).Scan(dest...); err != nil {
		t.Fatal(err)
	}
}

// store stores an event for the subscription, and returns its delivery.
func (c *claimer) store(t *testing.T, id string) memory.Delivery {
	t.Helper()
	d := memory.Delivery{Sub: c.sub}
	c.row(t, `INSERT INTO outhook.events
		(id, type, tenant, key, time, enqueued_at, body, trace, recipients)
		VALUES ($1, 'a.b', '', '', now(), now(), '{}', '', ARRAY[$2::bigint]) RETURNING seq`,
		[]any{id, int64(c.sub)}, &d.Seq)
	return d
}

// claim claims all there is.
func (c *claimer) claim(t *testing.T) (ids []string) {
	t.Helper()
	result, err := c.Claim(t.Context(), store.ClaimRequest{Max: 100, Lease: time.Hour})
	if err != nil {
		t.Error(err)
	}
	for _, cl := range result.Claims {
		ids = append(ids, cl.EventID)
	}
	return ids
}

// feed tells memory of a delivery without a row.
func (c *claimer) feed(d memory.Delivery) {
	c.Memory.Lock()
	defer c.Memory.Unlock()
	c.Memory.Feed(d, c.Clock.Now())
}

func (c *claimer) look(note func(*memory.Looks)) {
	c.Memory.Lock()
	defer c.Memory.Unlock()
	note(&c.Memory.Looks)
}

func (c *claimer) inFlight() int {
	c.Memory.Lock()
	defer c.Memory.Unlock()
	return c.Memory.InFlight(0, c.Clock.Now())
}

// given returns how many leases were given, also those that have run out and that nobody has taken
// back: on a slow machine that may be so before this is asked.
func (c *claimer) given() int {
	c.Memory.Lock()
	defer c.Memory.Unlock()
	return c.Memory.Schedule.InFlight(nil)
}

// TestClaimWaitsForALook checks that a claim misses nothing that was committed before it began,
// also while another goroutine has taken the notice of it and has not told memory yet: neither if
// it finds something else that is due, nor if it finds nothing.
func TestClaimWaitsForALook(t *testing.T) {
	t.Parallel()
	for name, known := range map[string][]string{"something": {"first"}, "nothing": nil} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClaimer(t)
			if got := c.claim(t); len(got) > 0 { // it joins
				t.Fatalf("claims before anything is published: got %v", got)
			}
			for _, id := range known {
				c.feed(c.store(t, id))
			}
			noticed := c.store(t, "noticed")
			// The other goroutine, in TakeNotices: the notice is gone.
			c.Keyed.Lock()
			c.look((*memory.Looks).Begin)
			claimed := make(chan []string)
			go func() { claimed <- c.claim(t) }()
			var got []string
			// What it has chosen is leased. Without anything to choose, it does not show how far it
			// has come.
			for c.inFlight() < len(known) && got == nil {
				select {
				case got = <-claimed:
				default:
					runtime.Gosched()
				}
			}
			c.feed(noticed)
			c.look((*memory.Looks).End)
			c.Keyed.Unlock()
			if got == nil {
				got = <-claimed
			}
			if want := append(known, "noticed"); strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("claims: got %v, want %v", got, want)
			}
		})
	}
}

// notice writes so many notices about 200 deliveries each, none of which is there.
func (c *claimer) notice(t *testing.T, n int) {
	t.Helper()
	c.row(t, `WITH n AS (
			INSERT INTO outhook.notices (share, fresh, subs, seqs)
			SELECT $1, false, array_fill($2::bigint, ARRAY[200]),
				ARRAY(SELECT 1000 + 200 * n + i FROM generate_series(1, 200) i)
			FROM generate_series(1, $3) n RETURNING id
		) SELECT count(*) FROM n`, []any{c.sub % 64, int64(c.sub), n}, &n)
}

// TestNoticesOfOneTransaction checks that one transaction takes neither too many notices nor those
// of too many deliveries, but for the last of them.
func TestNoticesOfOneTransaction(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct{ notices, deliveries, want int }{
		"notices": {3, 100_000, 600}, "deliveries": {100, 500, 600},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClaimer(t)
			c.claim(t) // it joins
			c.notice(t, 10)
			n := 0
			var seq uint64
			read := sqltx.Each([]any{nil, &seq, nil, nil, nil, nil, nil}, func() { n++ })
			err := c.DB.Rows(t.Context(), read, c.SQL.TakeNotices, []int32{int32(c.sub % 64)}, c.ID,
				tc.notices, tc.deliveries)
			if err != nil || n != tc.want {
				t.Errorf("deliveries taken: got %d, %v, want %d", n, err, tc.want)
			}
		})
	}
}

// TestClaimTakesSomeNotices checks that a claim that meets more notices than one call may take does
// not fail, hands out nothing and says that there may be more, and that one after it hands it out.
func TestClaimTakesSomeNotices(t *testing.T) {
	t.Parallel()
	c := newClaimer(t)
	c.claim(t) // it joins
	c.feed(c.store(t, "first"))
	const n = 600
	c.notice(t, n)
	for calls := 1; ; calls++ {
		result, err := c.Claim(t.Context(), store.ClaimRequest{Max: 1, Lease: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		if len(result.Claims) > 0 {
			if calls == 1 {
				t.Errorf("the first claim took all of %d notices", n)
			}
			return
		}
		if result.NextDue != 0 {
			t.Fatalf("NextDue of claim %d, which gave nothing: got %v, want 0", calls, result.NextDue)
		}
	}
}

// TestClaimsBeginApart checks that claims come no faster than they may, so that what falls due
// meanwhile shares a round trip.
func TestClaimsBeginApart(t *testing.T) {
	t.Parallel()
	c := newClaimer(t)
	c.claim(t)
	const n = 50
	began := time.Now()
	for range n {
		c.claim(t)
	}
	if took := time.Since(began); took < (n-1)*claims.Apart {
		t.Errorf("%d claims took %v, want at least %v between each two", n, took, claims.Apart)
	}
}

// TestSlowClaim checks that a claim that takes longer than the lease it is for hands out nothing
// that the next claim hands out again.
func TestSlowClaim(t *testing.T) {
	t.Parallel()
	const lease = 100 * time.Millisecond
	c := newClaimer(t)
	c.claim(t) // it joins
	d := c.store(t, "slow")
	// It waits for another goroutine that takes notices.
	c.Keyed.Lock()
	c.look((*memory.Looks).Begin)
	c.feed(d)
	claimed := make(chan store.ClaimResult)
	go func() {
		result, err := c.Claim(t.Context(), store.ClaimRequest{Max: 1, Lease: lease})
		if err != nil {
			t.Error(err)
		}
		claimed <- result
	}()
	for c.given() == 0 {
		select {
		case result := <-claimed:
			t.Fatalf("a claim beside a look did not wait for it: got %+v", result)
		default:
			runtime.Gosched()
		}
	}
	for c.inFlight() > 0 { // until it has run out
		runtime.Gosched()
	}
	c.look((*memory.Looks).End)
	c.Keyed.Unlock()
	result := <-claimed
	if len(result.Claims) == 0 && result.NextDue > 0 {
		t.Errorf("NextDue without claims: got %v, want 0", result.NextDue)
	}
	c.Memory.Lock()
	defer c.Memory.Unlock()
	for _, cl := range result.Claims {
		if l := c.Memory.Schedule.Present(cl.Token); l == nil || l.Expired() {
			t.Error("a lease that was handed out has run out")
		}
	}
}

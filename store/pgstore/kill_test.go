package pgstore_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore"
)

// every calls f each interval until the time is over.
func every(interval, total time.Duration, f func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for end := time.Now().Add(total); time.Now().Before(end); {
		<-ticker.C
		f()
	}
}

// fleet starts three replicas of a kind that publish and deliver.
func fleet(t *testing.T, kind, schema string, j *judge) []*replica {
	var replicas []*replica
	for range 3 {
		replicas = append(replicas, startReplica(t, kind, serverURL, schema, j))
	}
	j.await(t, "the replicas deliver", progress, func(n tally) bool { return n.arrived > 50 })
	return replicas
}

func TestKilledReplicas(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	j := newJudge(t)
	subscribeJudge(t, open(t, pool, schema), j)
	kills := 12
	if long {
		kills = 120
	}
	replicas := fleet(t, "publisher", schema, j)
	for range kills {
		i := rand.IntN(len(replicas))
		replicas[i].kill()
		replicas[i] = startReplica(t, "publisher", serverURL, schema, j)
		// The next kill comes when there is something to lose again, however slow the machine is.
		before := j.tally()
		j.await(t, "publishing and delivering go on", progress, func(n tally) bool {
			return n.acked >= before.acked+10 && n.arrived >= before.arrived+10
		})
	}
	for _, r := range replicas {
		r.quiet()
	}
	n := j.await(t, "everything acknowledged arrives", progress, delivered)
	if n.repeated > kills*inFlight {
		t.Errorf("repeated: %d deliveries at %d kills with %d in flight, want at most %d", n.repeated,
			kills, inFlight, kills*inFlight)
	}
	t.Logf("%d kills: %d acknowledged, %d lost, %d repeated", kills, n.acked, n.missing, n.repeated)
}

func TestRollingRestart(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	pool, schema := newPool(t)
	j := newJudge(t)
	subscribeJudge(t, open(t, pool, schema), j)
	replicas := fleet(t, "patient publisher", schema, j)
	rounds := 2
	if long {
		rounds = 10
	}
	for range rounds {
		for i, r := range replicas {
			r.signal(syscall.SIGTERM)
			<-r.exited
			if r.err != nil {
				t.Errorf("a replica that was stopped: %v", r.err)
			}
			replicas[i] = startReplica(t, "patient publisher", serverURL, schema, j)
			before := j.tally().arrived
			j.await(t, "deliveries go on", progress, func(n tally) bool { return n.arrived > before+50 })
		}
	}
	for _, r := range replicas {
		r.quiet()
	}
	n := j.await(t, "everything acknowledged arrives", progress, delivered)
	if n.repeated > 0 {
		t.Errorf("repeated: %d deliveries, want none", n.repeated)
	}
	t.Logf("%d restarts: %d acknowledged, %d lost, %d repeated", rounds*len(replicas), n.acked,
		n.missing, n.repeated)
}

func TestNothingTwice(t *testing.T) {
	leaveToFull(t)
	t.Parallel()
	pool, schema := newPool(t)
	j := newJudge(t)
	s := open(t, pool, schema)
	subscribeJudge(t, s, j)
	total := 4000
	if long {
		total = 50_000
	}
	for range 3 {
		startReplica(t, "worker", serverURL, schema, nil)
	}
	for n := 0; n < total; n += 50 {
		evs := someEvents(50)
		if err := s.Enqueue(t.Context(), evs...); err != nil {
			t.Fatal(err)
		}
		j.ack(ids(evs)...)
	}
	n := j.await(t, "everything arrives", progress, delivered)
	if n.repeated > 0 {
		t.Errorf("repeated: %d of %d deliveries, by their attempts %v, want none", n.repeated, n.acked,
			j.repeats())
	}
}

// someEvents returns events of their own.
func someEvents(n int) []events.Event {
	evs := make([]events.Event, n)
	for i := range evs {
		var err error
		if evs[i], err = events.New("message.created", map[string]int{"n": i}); err != nil {
			panic(err)
		}
	}
	return evs
}

func ids(evs []events.Event) []string {
	out := make([]string, len(evs))
	for i := range evs {
		out[i] = evs[i].ID
	}
	return out
}

// stoppedMain is a replica that claims, is stopped, and when it goes on finishes what it has
// claimed: the first as failed, the second as delivered. It prints which were ignored.
func stoppedMain(ctx context.Context, s *pgstore.Store) int {
	claims, err := s.Claim(ctx, store.ClaimRequest{Max: 2, Lease: time.Hour})
	if err != nil || len(claims.Claims) != 2 {
		fmt.Fprintln(os.Stderr, "stopped: claims:", len(claims.Claims), err)
		return 1
	}
	fmt.Println("claimed")
	var going [1]byte
	if _, err := os.Stdin.Read(going[:]); err != nil {
		return 1
	}
	c := claims.Claims
	results, err := s.Finish(ctx,
		store.Outcome{Lease: c[0].Lease, State: store.Dead,
			Attempt: store.Attempt{At: time.Now(), Status: 500, Error: "late"}},
		store.Outcome{Lease: c[1].Lease, State: store.Delivered,
			Attempt: store.Attempt{At: time.Now(), Status: 200}})
	if err != nil {
		fmt.Fprintln(os.Stderr, "stopped: finish:", err)
		return 1
	}
	fmt.Println(results[0].Ignored, results[1].Ignored)
	return 0
}

func TestStoppedReplica(t *testing.T) {
	t.Parallel()
	pool, schema := newPool(t)
	s := open(t, pool, schema)
	sub := subscribeJudge(t, s, newJudge(t))
	evs := someEvents(2)
	if err := s.Enqueue(t.Context(), evs...); err != nil {
		t.Fatal(err)
	}
	var err error
	r := startReplica(t, "stopped", serverURL, schema, nil)
	if got := <-r.lines; got != "claimed" {
		t.Fatalf("the replica said %q, want that it has claimed", got)
	}
	r.signal(syscall.SIGSTOP)
	stopped := time.Now()
	var claims store.ClaimResult
	await(t, "the replica's lease has run out, and this one has its shares", func() bool {
		claims, err = s.Claim(t.Context(), store.ClaimRequest{Max: 10, Lease: time.Hour})
		return err != nil || len(claims.Claims) > 0
	})
	if err != nil || len(claims.Claims) != 2 {
		t.Fatalf("claims once the lease has run out: got %d, %v, want 2", len(claims.Claims), err)
	}
	t.Logf("another replica went on %v after it was stopped",
		time.Since(stopped).Round(10*time.Millisecond))
	r.signal(syscall.SIGCONT)
	if _, err := r.stdin.Write([]byte{'\n'}); err != nil {
		t.Fatal(err)
	}
	if got, want := <-r.lines, "true false"; got != want {
		t.Errorf("ignored, of the late failure and the late success: got %s, want %s", got, want)
	}
	for i, want := range []store.State{store.Pending, store.Delivered} {
		page, err := s.Deliveries(t.Context(),
			store.DeliveryQuery{SubscriptionID: sub.ID, EventID: evs[i].ID})
		if err != nil || len(page.Items) != 1 || page.Items[0].State != want {
			t.Errorf("delivery %d: got %+v, %v, want it %s", i, page.Items, err, want)
		}
	}
	results, err := s.Finish(t.Context(),
		store.Outcome{Lease: claims.Claims[0].Lease, State: store.Delivered})
	if err != nil || results[0].Ignored {
		t.Errorf("the present holder's outcome: got %+v, %v, want it to count", results, err)
	}
}

func randomBytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rand.Uint32())
	}
	return b
}

package dispatcher_test

import (
	"net/http"
	"path/filepath"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// onBolt runs a test in a bubble over a boltstore.
func onBolt(t *testing.T, test func(t *testing.T, s store.Store)) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "outhook.db")
	synctest.Test(t, func(t *testing.T) { test(t, openBolt(t, path)) })
}

func publishMany(t *testing.T, e *engine, eventType string, n int) {
	t.Helper()
	for n > 0 {
		batch := make([]events.Event, min(n, 1000))
		for i := range batch {
			ev, err := events.New(eventType, i)
			if err != nil {
				t.Fatal(err)
			}
			batch[i] = ev
		}
		if err := e.Publish(t.Context(), batch...); err != nil {
			t.Fatal(err)
		}
		n -= len(batch)
	}
}

// TestFaultRecovery has an endpoint down while thousands of events queue for it, and then up again.
func TestFaultRecovery(t *testing.T) {
	queued := scaled(3000, 10_000)
	onBolt(t, func(t *testing.T, s store.Store) {
		const url, atOnce = "https://a.example/hook", 16
		e := newEngine(t, s, &dispatcher.Options{PerSubscription: atOnce})
		e.answers(func(request) reply {
			return reply{Status: http.StatusServiceUnavailable, Delay: 50 * time.Millisecond}
		})
		e.subscribe(url)
		e.run()
		publishMany(t, e, "order.created", queued)
		pass(10 * time.Minute)
		down := len(e.seen(url))
		if down > 2*atOnce+10 {
			t.Errorf("%d requests while the endpoint was down, want %d at most", down, 2*atOnce+10)
		}
		up := time.Now()
		e.answers(func(request) reply { return reply{Status: 200, Delay: 50 * time.Millisecond} })
		pass(24 * time.Hour)
		if n := e.states(); n[store.Delivered] != queued {
			t.Errorf("states are %v, want all %d delivered", n, queued)
		}
		if n := e.mostInFlight(url); n > atOnce {
			t.Errorf("%d at once, want %d at most", n, atOnce)
		}
		back := e.seen(url)[down:]
		if len(back) != queued {
			t.Errorf("%d requests since the endpoint is up, want %d: one for each", len(back), queued)
		}
		if d := back[1].At.Sub(back[0].At); d < 50*time.Millisecond {
			t.Errorf("a second request followed the first after %v: before the probe had been answered", d)
		}
		last := back[len(back)-1].At.Sub(back[0].At)
		if least := time.Duration(queued/atOnce) * 50 * time.Millisecond; last < least ||
			last > 2*least+time.Minute {
			t.Errorf("the backlog took %v once the probe had succeeded, want somewhat more than %v", last,
				least)
		}
		t.Logf("%d queued; the first probe %v after the endpoint was up, all delivered %v later", queued,
			back[0].At.Sub(up), last)
	})
}

// TestFaultRetriesSpread has thousands of deliveries fail at the same moment: they must not come
// back at the same moment.
func TestFaultRetriesSpread(t *testing.T) {
	n := scaled(4000, 10_000)
	synctest.Test(t, func(t *testing.T) {
		e := newEngine(t, memstore.New(), &dispatcher.Options{Quota: manySubscriptions})
		e.status(http.StatusBadGateway)
		for i := range n {
			e.subscribe(nthURL(i))
		}
		e.run()
		e.publish("order.created", 1)
		pass(4 * time.Hour)
		byAttempt := make(map[int]map[int64]int) // by second
		for _, r := range e.seen("") {
			if byAttempt[r.Attempt] == nil {
				byAttempt[r.Attempt] = make(map[int64]int)
			}
			byAttempt[r.Attempt][r.At.Unix()]++
		}
		for attempt := 2; attempt <= 6; attempt++ {
			checkSpread(t, attempt, byAttempt[attempt], n)
		}
	})
}

// checkSpread wants no second to hold more than three times the mean, and what chance may add: with
// the schedule's even spread, a second that holds 20 more than that is one in a trillion runs.
func checkSpread(t *testing.T, attempt int, bySecond map[int64]int, n int) {
	t.Helper()
	total, most := 0, 0
	var first, last int64
	for at, k := range bySecond {
		total, most = total+k, max(most, k)
		if first == 0 || at < first {
			first = at
		}
		last = max(last, at)
	}
	mean := float64(total) / float64(last-first+1)
	if total != n || float64(most) > 3*mean+20 || last == first {
		t.Errorf(
			"%d times attempt %d in %d seconds, at most %d in one; want %d, and at most 20 more than "+
				"three times the mean, %.0f",
			total, attempt, last-first+1, most, n, mean)
	}
}

// TestFaultBacklog has a hundred thousand events pending for one subscription when another's next
// comes.
func TestFaultBacklog(t *testing.T) {
	backlog := scaled(20_000, 100_000)
	onBolt(t, func(t *testing.T, s store.Store) {
		const took = time.Second
		e := newEngine(t, s, nil)
		e.answers(func(request) reply { return reply{Status: 200, Delay: took} })
		e.subscribe("https://flooded.example/hook", "flood.*")
		e.subscribe("https://quiet.example/hook", "quiet.*")
		publishMany(t, e, "flood.drop", backlog)
		e.run()
		pass(5 * time.Second)
		for i := range 10 {
			published := time.Now()
			ev := e.publish("quiet.word", i)
			pass(3 * took)
			e.wantState(ev, store.Delivered)
			seen := e.seen("https://quiet.example/hook")
			if d := seen[len(seen)-1].At.Sub(published); d > took {
				t.Errorf("with %d pending for another, an attempt started after %v, want %v at most", backlog,
					d, took)
			}
		}
		if n := len(e.seen("https://flooded.example/hook")); n < 16*30 {
			t.Errorf("only %d of the backlog were attempted meanwhile, want 16 a second", n)
		}
	})
}

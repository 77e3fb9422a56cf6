package dispatchertest_test

import (
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/dispatcher/dispatchertest"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// WaitIdle waits through retries, an open breaker and events for later, and for no subscription
// that waits for somebody.
func TestWaitIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, r := dispatchertest.New(t, &dispatcher.Options{DisableAfter: 3 * time.Hour, AllowPull: true})
		down, paused := r.Subscribe("order.created"), r.Subscribe("order.created")
		later := r.Subscribe("trial.ending")
		down.Always(503)
		if _, err := d.Pause(t.Context(), paused.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := d.Subscribe(t.Context(), store.Subscription{}); err != nil { // read by poll
			t.Fatal(err)
		}
		if err := (shop{d}).order(t.Context(), "tea"); err != nil {
			t.Fatal(err)
		}
		e, err := events.New("trial.ending", 1)
		if err != nil {
			t.Fatal(err)
		}
		e.NotBefore = time.Now().Add(48 * time.Hour)
		if err := d.Publish(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		start := time.Now()
		r.WaitIdle()
		if took := time.Since(start); took < 48*time.Hour || took > 49*time.Hour {
			t.Errorf("WaitIdle took %v, want two days", took)
		}
		if n := len(later.All()); n != 1 {
			t.Errorf("%d requests of the event for later, want one", n)
		}
		if n := len(paused.All()); n != 0 {
			t.Errorf("%d requests while paused, want none", n)
		}
		sub, err := d.Subscription(t.Context(), down.ID)
		if err != nil || sub.DisabledReason == "" || len(down.All()) < dispatcher.BreakerThreshold {
			t.Errorf("got %+v, %v, %d requests; want that it is given up", sub, err, len(down.All()))
		}
	})
}

// failure is a testing.TB that notes what fails a test, and goes on.
type failure struct {
	testing.TB
	text string
}

func (f *failure) Errorf(format string, args ...any) { f.text += fmt.Sprintf(format, args...) }

func (f *failure) Fatalf(format string, args ...any) {
	f.text += fmt.Sprintf(format, args...)
	panic(f)
}

// failed returns how a function fails its test.
func failed(t *testing.T, test func(testing.TB)) string {
	t.Helper()
	f := &failure{TB: t}
	func() {
		defer func() {
			if p := recover(); p != nil && p != any(f) {
				panic(p)
			}
		}()
		test(f)
	}()
	return f.text
}

// A test that waits for what does not come fails, and says what is pending instead.
func TestFailures(t *testing.T) {
	order := func(t testing.TB, d *dispatcher.Dispatcher) {
		t.Helper()
		if err := (shop{d}).order(t.Context(), "tea"); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		name, want string
		test       func(testing.TB)
	}{
		{"nothing", "no delivery arrived within 168h0m0s", func(t testing.TB) {
			_, r := dispatchertest.New(t, nil)
			r.Next()
		}},
		{"paused", "no delivery arrived", func(t testing.TB) {
			d, r := dispatchertest.New(t, nil)
			if _, err := d.Pause(t.Context(), r.Subscribe().ID); err != nil {
				t.Fatal(err)
			}
			order(t, d)
			r.Next()
		}},
		{"later", "1 pending, the oldest the order.created", func(t testing.TB) {
			d, r := dispatchertest.New(t, &dispatcher.Options{
				Backoff: dispatcher.Backoff{Initial: 365 * 24 * time.Hour},
			})
			r.Subscribe().Answer(500)
			order(t, d)
			r.Next()
			r.Next()
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				if got := failed(t, tt.test); !strings.Contains(got, tt.want) {
					t.Errorf("got %q, want %q", got, tt.want)
				}
			})
		})
	}
}

// A delivery whose signature is another's fails the test.
func TestForged(t *testing.T) {
	got := failed(t, func(t testing.TB) {
		d, r := dispatchertest.New(t, nil)
		e := r.Subscribe()
		// Somebody makes it again under another key, behind the Receiver's back.
		if _, err := d.Subscribe(t.Context(), store.Subscription{ID: e.ID, URL: e.URL}); err != nil {
			t.Fatal(err)
		}
		if err := (shop{d}).order(t.Context(), "tea"); err != nil {
			t.Fatal(err)
		}
		e.Next()
	})
	if !strings.Contains(got, "does not verify") {
		t.Errorf("got %q, want that it does not verify", got)
	}
}

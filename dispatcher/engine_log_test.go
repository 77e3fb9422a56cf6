package dispatcher_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

func TestAttemptsAreLogged(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var logged bytes.Buffer
		e := newEngine(t, s,
			&dispatcher.Options{Logger: slog.New(
				slog.NewJSONHandler(&logged, &slog.HandlerOptions{Level: slog.LevelDebug}))})
		sub := e.subscribe("https://a.example/hook?token=canary")
		e.answers(func(r request) reply {
			switch r.Attempt {
			case 1:
				return reply{Err: &net.OpError{Op: "dial",
					Addr: net.TCPAddrFromAddrPort(netip.MustParseAddrPort("10.0.0.7:443")),
					Err:  errors.New("canary")}}
			case 2:
				return reply{Status: 503, Body: "canary"}
			}
			return reply{Status: 200, Body: "canary"}
		})
		e.run()
		ev := e.publish("order.created", "canary")
		pass(time.Minute)
		e.stop()
		for _, where := range []string{"canary", "10.0.0.7"} {
			if bytes.Contains(logged.Bytes(), []byte(where)) {
				t.Errorf("%s is in the log:\n%s", where, &logged)
			}
		}
		type record struct {
			Level          string
			EventID        string `json:"event_id"`
			SubscriptionID string `json:"subscription_id"`
			Attempt        int
			Status         int
			Class          dispatcher.Class `json:"error_class"`
			Error          string
		}
		dec := json.NewDecoder(&logged)
		var start struct{ Level, Msg string }
		if err := dec.Decode(&start); err != nil || start.Level != "INFO" {
			t.Errorf("the first record is %+v, %v; want that Run has begun", start, err)
		}
		for _, want := range []record{
			{"WARN", ev.ID, sub.ID, 1, 0, dispatcher.ClassConnect, "connect: no connection"},
			{"WARN", ev.ID, sub.ID, 2, 503, dispatcher.ClassHTTPStatus,
				"http_status: 503 Service Unavailable"},
			{"DEBUG", ev.ID, sub.ID, 3, 200, "", ""},
		} {
			var got record
			if err := dec.Decode(&got); err != nil || got != want {
				t.Errorf("record: got %+v, %v, want %+v", got, err, want)
			}
		}
		if dec.More() {
			t.Errorf("there are more records than attempts")
		}
	})
}

// records are what a Logger got, each as its attributes by name.
type records struct {
	mu  sync.Mutex
	all []map[string]slog.Value
}

func (r *records) Enabled(context.Context, slog.Level) bool { return true }
func (r *records) WithAttrs([]slog.Attr) slog.Handler       { return r }
func (r *records) WithGroup(string) slog.Handler            { return r }

func (r *records) Handle(_ context.Context, rec slog.Record) error {
	attrs := map[string]slog.Value{
		"level": slog.AnyValue(rec.Level), "msg": slog.StringValue(rec.Message),
	}
	rec.Attrs(func(a slog.Attr) bool {
		attrs[a.Key] = a.Value
		return true
	})
	r.mu.Lock()
	defer r.mu.Unlock()
	r.all = append(r.all, attrs)
	return nil
}

// with returns the records with a message.
func (r *records) with(message string) (out []map[string]slog.Value) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, attrs := range r.all {
		if attrs["msg"].String() == message {
			out = append(out, attrs)
		}
	}
	return out
}

// keys returns the names of attributes, sorted and without those of each record.
func keys(attrs map[string]slog.Value) string {
	names := slices.Sorted(maps.Keys(attrs))
	return strings.Join(slices.DeleteFunc(names, func(name string) bool {
		return name == "level" || name == "msg"
	}), " ")
}

// A record of an attempt has what somebody needs who looks for one: of whom, of what, where to, and
// what comes next. It has no attribute that says nothing.
func TestRecordsOfAttempts(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		logged := &records{}
		e := newEngine(t, s, &dispatcher.Options{Logger: slog.New(logged),
			Backoff: dispatcher.Backoff{Initial: time.Minute, Multiplier: 1, Jitter: -1, MaxAttempts: 3}})
		sub, err := e.Subscribe(t.Context(), store.Subscription{URL: "https://A.example:8443/hook?t=1",
			Tenant: "acme"})
		if err != nil {
			t.Fatal(err)
		}
		e.answers(func(r request) reply {
			if r.Attempt == 1 {
				return reply{Status: 503}
			}
			return reply{Status: 200}
		})
		e.run()
		start := time.Now()
		ev, err := events.New("order.created", 1)
		if err != nil {
			t.Fatal(err)
		}
		ev.Tenant = "acme"
		if err := e.Publish(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
		pass(2 * time.Minute)
		e.status(503)
		if err := e.publishFor("acme", 1); err != nil {
			t.Fatal(err)
		}
		pass(time.Hour)
		e.stop()
		failed := logged.with("outhook: attempt failed")
		succeeded := logged.with("outhook: attempt succeeded")
		if len(failed) != 4 || len(succeeded) != 1 {
			t.Fatalf("got %d records of failures and %d of successes, want 4 and 1", len(failed),
				len(succeeded))
		}
		const common = "attempt duration event_id event_type host status subscription_id tenant"
		if got := keys(succeeded[0]); got != common {
			t.Errorf("a success has %s\nwant %s", got, common)
		}
		const more = "attempt duration error error_class event_id event_type host retry retry_at " +
			"status subscription_id tenant"
		if got := keys(failed[0]); got != more {
			t.Errorf("a failure has %s\nwant %s", got, more)
		}
		for name, want := range map[string]any{"event_id": ev.ID, "event_type": "order.created",
			"subscription_id": sub.ID, "tenant": "acme", "host": "a.example:8443", "attempt": int64(1),
			"status": int64(503), "error_class": "http_status", "retry": true} {
			if got := failed[0][name].Any(); got != want {
				t.Errorf("%s: got %v, want %v", name, got, want)
			}
		}
		at := failed[0]["retry_at"].Time().Sub(start)
		if at < time.Minute || at > time.Minute+time.Second {
			t.Errorf("it is to be tried again after %v, want a minute", at)
		}
		last := failed[3]
		if got := last["retry"].Any(); got != false || strings.Contains(keys(last), "retry_at") {
			t.Errorf("the last failure: retry is %v of %s, want false and no time", got, keys(last))
		}
	})
}

// When the breaker is open, a record says when the next probe is, and not when the delivery would
// have been due.
func TestRecordsOfProbes(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		logged := &records{}
		e := newEngine(t, s, &dispatcher.Options{Logger: slog.New(logged), PerSubscription: 1,
			Backoff: dispatcher.Backoff{Initial: time.Second, Max: time.Second, Jitter: -1,
				MaxAttempts: 1000}})
		e.status(500)
		e.subscribe("https://a.example/")
		e.run()
		e.publish("order.created", 1)
		pass(20 * time.Minute)
		e.stop()
		failed := logged.with("outhook: attempt failed")
		if len(failed) < dispatcher.BreakerThreshold+5 {
			t.Fatalf("got %d failures", len(failed))
		}
		requests := e.seen("https://a.example/")
		for i := dispatcher.BreakerThreshold - 1; i+1 < len(failed); i++ {
			said, next := failed[i]["retry_at"].Time(), requests[i+1].At
			if early := next.Sub(said).Abs(); early > time.Second {
				t.Errorf("failure %d: to be tried again at %v, and was at %v", i+1, said, next)
			}
		}
	})
}

// Run says with which settings it delivers.
func TestRecordOfStart(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		logged := &records{}
		e := newEngine(t, s, &dispatcher.Options{Logger: slog.New(logged), Concurrency: 40,
			Timeout: 7 * time.Second, AllowLoopback: true,
			Backoff: dispatcher.Backoff{MaxAttempts: 5}})
		e.run()
		e.stop()
		got := logged.with("outhook: delivering")
		if len(got) != 1 {
			t.Fatalf("got %d records, want one", len(got))
		}
		for name, want := range map[string]any{"concurrency": int64(40), "per_subscription": int64(16),
			"per_tenant": int64(20), "timeout": 7 * time.Second, "max_attempts": int64(5),
			"allow_loopback": true, "version": dispatcher.Version, "store": fmt.Sprintf("%T", s),
			"level": slog.LevelInfo, "disable_after": dispatcher.DefaultDisableAfter} {
			if got := got[0][name].Any(); got != want {
				t.Errorf("%s: got %v, want %v", name, got, want)
			}
		}
	})
}

// A ping is logged like an attempt, without what would be empty.
func TestRecordOfPing(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		logged := &records{}
		e := newEngine(t, s, &dispatcher.Options{Logger: slog.New(logged)})
		sub := e.subscribe("https://a.example/hook")
		for status, want := range map[int]string{
			200: "duration event_id event_type host status subscription_id",
			500: "duration error error_class event_id event_type host status subscription_id",
		} {
			e.status(status)
			if _, err := e.Ping(t.Context(), sub.ID); err != nil {
				t.Fatal(err)
			}
			got := logged.with("outhook: ping sent")
			if got := keys(got[len(got)-1]); got != want {
				t.Errorf("%d: got %s\nwant %s", status, got, want)
			}
		}
	})
}

package dispatcher_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

func traceparent(n int) string {
	return fmt.Sprintf("00-4bf92f3577b34da6a3ce929d0e0e4736-%016x-01", n)
}

type traceKey struct{}

func TestTracerSeesEachAttempt(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var started, ended []dispatcher.Info
		publishes, stored := 0, []error(nil)
		tracer := &dispatcher.Tracer{
			Publish: func(ctx context.Context, evs []events.Event) (context.Context, string, func(error)) {
				publishes += len(evs)
				return ctx, ctx.Value(traceKey{}).(string), func(err error) { stored = append(stored, err) }
			},
			Attempt: func(ctx context.Context, info dispatcher.Info) (context.Context, string,
				func(dispatcher.Info)) {
				started = append(started, info)
				return context.WithValue(ctx, traceKey{}, "in the attempt"),
					traceparent(100 + info.Attempt.Number), func(info dispatcher.Info) {
						ended = append(ended, info)
					}
			},
		}
		o := &dispatcher.Options{Backoff: noJitter, Concurrency: 1, Tracer: tracer,
			Transform: func(ctx context.Context, _ store.Subscription, _ events.Event,
				_ *dispatcher.Request) error {
				if ctx.Value(traceKey{}) != "in the attempt" {
					t.Error("the context of the attempt is not the tracer's")
				}
				return nil
			}}
		e := newEngine(t, s, o)
		*tracer = dispatcher.Tracer{} // the options have been copied
		e.subscribe("https://a.example/hook")
		e.answers(func(r request) reply {
			if r.Attempt == 1 {
				return reply{Status: http.StatusBadGateway}
			}
			return reply{Status: 200}
		})
		e.run()
		mine, err := events.New("order.created", 1)
		if err != nil {
			t.Fatal(err)
		}
		own := mine
		own.ID, own.Trace = "own", traceparent(7)
		evs := []events.Event{own, mine}
		if err := e.Publish(context.WithValue(t.Context(), traceKey{}, traceparent(1)),
			evs...); err != nil {
			t.Fatal(err)
		}
		if evs[1].Trace != "" || publishes != 2 || len(stored) != 1 || stored[0] != nil {
			t.Errorf(
				"the caller's event has the trace %q, the tracer saw %d events published, with the errors %v",
				evs[1].Trace, publishes, stored)
		}
		evs[0].Type = "order.changed"
		if err := e.Publish(context.WithValue(t.Context(), traceKey{}, ""), evs[0]); len(stored) != 2 ||
			!errors.Is(err, store.ErrConflict) || !errors.Is(stored[1], store.ErrConflict) {
			t.Errorf("a conflict: Publish returned %v and the tracer saw %v, want store.ErrConflict", err,
				stored)
		}
		pass(time.Minute)
		if len(started) != 4 || len(ended) != 4 {
			t.Fatalf("%d attempts started and %d ended, want 4", len(started), len(ended))
		}
		trace := map[string]string{"own": traceparent(7), mine.ID: traceparent(1)}
		for i, info := range started {
			if info.Trace != trace[info.EventID] || info.State != store.Pending ||
				info.Attempt.At.IsZero() || info.EventType != "order.created" {
				t.Errorf("attempt %d started with %+v", i, info)
			}
			end := ended[i]
			want := map[int]store.State{1: store.Pending, 2: store.Delivered}[end.Attempt.Number]
			if end.State != want || end.Attempt.Status == 0 || end.Trace != info.Trace ||
				(end.RetryIn > 0) != (want == store.Pending) {
				t.Errorf("attempt %d ended with %+v, want it %s", i, end, want)
			}
		}
		for _, r := range e.seen("") {
			if got := r.Header.Get("traceparent"); got != traceparent(100+r.Attempt) {
				t.Errorf("attempt %d sent the traceparent %q, want the tracer's", r.Attempt, got)
			}
		}
	})
}

func TestTraceIsSentWithoutATracer(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		e := newEngine(t, s, nil)
		e.subscribe("https://a.example/hook")
		own := map[string]string{"Traceparent": "mine"}
		if _, err := e.Subscribe(t.Context(),
			store.Subscription{URL: "https://b.example/hook", Headers: own}); err != nil {
			t.Fatal(err)
		}
		e.run()
		ev, err := events.New("order.created", 1)
		if err != nil {
			t.Fatal(err)
		}
		ev.Trace = traceparent(3)
		if err := e.Publish(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
		e.publish("order.created", "without a trace")
		pass(time.Second)
		for _, r := range e.seen("https://a.example/hook") {
			want := ""
			if r.EventID == ev.ID {
				want = ev.Trace
			}
			if got := r.Header.Get("traceparent"); got != want {
				t.Errorf("sent the traceparent %q, want %q", got, want)
			}
		}
		for _, r := range e.seen("https://b.example/hook") {
			if got := r.Header.Values("traceparent"); len(got) != 1 || got[0] != "mine" {
				t.Errorf("sent the traceparent %q, want the subscription's own", got)
			}
		}
	})
}

// TestTracerThatFailsStopsNothing has a tracer panic or answer nonsense.
func TestTracerThatFailsStopsNothing(t *testing.T) {
	for name, tracer := range map[string]*dispatcher.Tracer{
		"empty": {},
		"panics": {
			Publish: func(context.Context, []events.Event) (context.Context, string, func(error)) {
				panic("publish")
			},
			Attempt: func(context.Context, dispatcher.Info) (context.Context, string,
				func(dispatcher.Info)) {
				panic("attempt")
			},
		},
		"panics at the end": {
			Publish: func(ctx context.Context, _ []events.Event) (context.Context, string, func(error)) {
				return ctx, "", func(error) { panic("end") }
			},
			Attempt: func(ctx context.Context, _ dispatcher.Info) (context.Context, string,
				func(dispatcher.Info)) {
				return ctx, "", func(dispatcher.Info) { panic("end") }
			},
		},
		"nonsense": {
			Publish: func(context.Context, []events.Event) (context.Context, string, func(error)) {
				return nil, "a\r\nb", nil
			},
			Attempt: func(context.Context, dispatcher.Info) (context.Context, string,
				func(dispatcher.Info)) {
				return nil, "a\r\nb", nil
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			onEachStore(t, func(t *testing.T, s store.Store) {
				e := newEngine(t, s, &dispatcher.Options{Tracer: tracer})
				e.subscribe("https://a.example/hook")
				e.run()
				ev := e.publish("order.created", 1)
				pass(time.Second)
				e.wantState(ev, store.Delivered)
				if got := e.seen("")[0].Header.Values("traceparent"); got != nil {
					t.Errorf("sent the traceparent %q, want none", got)
				}
			})
		})
	}
}

// TestTracerSeesTheEndOfWhatIsCutOff stops Run under an attempt.
func TestTracerSeesTheEndOfWhatIsCutOff(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		var ended []dispatcher.Info
		e := newEngine(t, s, &dispatcher.Options{DrainTimeout: -1, Tracer: &dispatcher.Tracer{
			Attempt: func(ctx context.Context, _ dispatcher.Info) (context.Context, string,
				func(dispatcher.Info)) {
				return ctx, "", func(info dispatcher.Info) { ended = append(ended, info) }
			},
		}})
		e.subscribe("https://a.example/hook")
		e.answers(func(request) reply { return reply{Delay: never} })
		e.run()
		e.publish("order.created", 1)
		pass(time.Second)
		e.stop()
		if len(ended) != 1 || ended[0].State != store.Pending ||
			dispatcher.ErrorClass(ended[0].Attempt.Error) != dispatcher.ClassCanceled {
			t.Errorf("ended with %+v, want one that is pending and was cut off", ended)
		}
	})
}

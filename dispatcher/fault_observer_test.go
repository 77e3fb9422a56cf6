package dispatcher_test

import (
	"net/http"
	"reflect"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// harmfulObserver is an Observer all of whose functions count their calls and then do harm.
type harmfulObserver struct {
	mu    sync.Mutex
	calls map[string]int // by the function's name
}

// observer returns an Observer. Harm is told which function is called, and with what.
func (h *harmfulObserver) observer(
	harm func(name string, args []reflect.Value)) *dispatcher.Observer {
	o := &dispatcher.Observer{}
	v := reflect.ValueOf(o).Elem()
	for i := range v.NumField() {
		name := v.Type().Field(i).Name
		v.Field(i).Set(reflect.MakeFunc(v.Field(i).Type(), func(args []reflect.Value) []reflect.Value {
			h.mu.Lock()
			h.calls[name]++
			h.mu.Unlock()
			harm(name, args)
			return nil
		}))
	}
	return o
}

// TestFaultObserver has every function of an Observer panic, and then each in turn block for ever
// when Run calls it, through all that an Observer is told of: it all happens nevertheless.
func TestFaultObserver(t *testing.T) {
	t.Run("panic", func(t *testing.T) {
		onEachStore(t, func(t *testing.T, s store.Store) {
			h := harmfulObserver{calls: make(map[string]int)}
			o := h.observer(func(name string, _ []reflect.Value) { panic("the Observer panics: " + name) })
			liveThroughEverything(t, s, o)
			h.mu.Lock()
			defer h.mu.Unlock()
			for i := range reflect.TypeFor[dispatcher.Observer]().NumField() {
				if name := reflect.TypeFor[dispatcher.Observer]().Field(i).Name; h.calls[name] == 0 {
					t.Errorf("%s was never called", name)
				}
			}
		})
	})
	for i := range reflect.TypeFor[dispatcher.Observer]().NumField() {
		name := reflect.TypeFor[dispatcher.Observer]().Field(i).Name
		if name == "OnDelete" || name == "OnPing" {
			continue // only ever told to the host in its own call
		}
		t.Run(name+" blocks", func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h, unblock, blocked := harmfulObserver{calls: make(map[string]int)}, make(chan struct{}),
					make(chan struct{}, 1<<16)
				o := h.observer(func(called string, args []reflect.Value) {
					if called == name && byRun(args[0].Interface()) {
						blocked <- struct{}{}
						<-unblock
					}
				})
				stop := liveThroughEverything(t, memstore.New(), o)
				if len(blocked) == 0 {
					t.Error("it was never called by Run")
				}
				start := time.Now()
				stop()
				if d := time.Since(start); d > dispatcher.DefaultDrainTimeout+10*time.Second {
					t.Errorf("Run took %v to stop", d)
				}
				close(unblock)
			})
		})
	}
}

// byRun reports whether what an Observer is told is something that Run did, and not the host.
func byRun(told any) bool {
	switch told := told.(type) {
	case []events.Event:
		return events.Operational(told[0].Type)
	case store.Subscription:
		return told.Status == store.Unsubscribed
	case dispatcher.Action:
		return told.Kind == dispatcher.ActionDisable
	case dispatcher.Cancellation:
		return told.Reason == dispatcher.ReasonFiltered
	}
	return true
}

// liveThroughEverything has everything happen that an Observer is told of, and checks that it did.
func liveThroughEverything(t *testing.T, inner store.Store, o *dispatcher.Observer) (stop func()) {
	t.Helper()
	s := &faultyStore{Store: inner, method: "Claim", kind: faultBefore, k: 2, run: 2,
		calls: make(map[string]int)}
	e := newEngine(t, s, &dispatcher.Options{
		Observer:          o,
		OperationalEvents: true,
		Backoff: dispatcher.Backoff{Initial: time.Second, Max: time.Second, Jitter: -1,
			MaxAttempts: 2},
		Filter: func(s store.Subscription, _ events.Event) bool {
			return !strings.Contains(s.URL, "picky")
		},
	})
	var up sync.Map
	var networkDown atomic.Bool
	e.answers(func(r request) reply {
		_, repaired := up.Load(r.URL)
		switch {
		case networkDown.Load():
			return unreachable()
		case strings.Contains(r.URL, "gone"):
			return reply{Status: http.StatusGone}
		case strings.Contains(r.URL, "broken") && !repaired:
			return reply{Status: http.StatusBadGateway}
		}
		return reply{Status: 200}
	})
	e.subscribe("https://good.example/hook", "a.*")
	e.subscribe("https://broken.example/hook", "a.*")
	e.subscribe("https://picky.example/hook", "a.*")
	gone := e.subscribe("https://gone.example/hook", "a.*")
	brief := e.subscribe("https://brief.example/hook", "b.*")
	e.subscribe(listener, events.TypeDisabled, events.TypeExhausted)
	e.run()
	first := e.publish("a.first", 1)
	pass(10 * time.Second) // the broken one gives the event up
	for i := range dispatcher.BreakerThreshold - 2 {
		e.publish("a.more", i)
	}
	pass(time.Minute) // and opens its breaker
	up.Store("https://broken.example/hook", true)
	second, erased := e.publish("a.second", 2), e.publish("b.erased", 3)
	if err := e.Erase(t.Context(), erased.Tenant, erased.ID); err != nil {
		t.Error(err)
	}
	if err := e.Delete(t.Context(), brief.ID); err != nil {
		t.Error(err)
	}
	if a, err := e.Ping(t.Context(), e.subscriptionAt("https://good.example/hook")); err != nil ||
		a.Status != 200 {
		t.Errorf("Ping: %+v, %v; want it answered by 200", a, err)
	}
	pass(time.Hour)
	// The network goes down, in the life of another tenant, whose events nobody is told about.
	for i := range 6 {
		if _, err := e.Subscribe(t.Context(),
			store.Subscription{Tenant: "n", URL: nthURL(i)}); err != nil {
			t.Fatal(err)
		}
	}
	networkDown.Store(true)
	for i := range 3 {
		ev, err := events.New("n.down", i)
		if err != nil {
			t.Fatal(err)
		}
		ev.Tenant = "n"
		if err := e.Publish(t.Context(), ev); err != nil {
			t.Fatal(err)
		}
		pass(10 * time.Second)
	}
	networkDown.Store(false)
	pass(time.Minute)

	for _, tt := range []struct {
		url  string
		ev   events.Event
		want store.State
	}{
		{"https://good.example/hook", first, store.Delivered},
		{"https://good.example/hook", second, store.Delivered},
		{"https://broken.example/hook", first, store.Dead},
		{"https://broken.example/hook", second, store.Delivered},
		{"https://picky.example/hook", first, store.Canceled},
		{"https://gone.example/hook", first, store.Dead},
	} {
		page, err := e.Deliveries(t.Context(),
			store.DeliveryQuery{SubscriptionID: e.subscriptionAt(tt.url), EventID: tt.ev.ID})
		if err != nil || len(page.Items) != 1 || page.Items[0].State != tt.want {
			t.Errorf("%s of %s is %+v, %v; want it %s", tt.ev.Type, tt.url, page.Items, err, tt.want)
		}
	}
	if sub, err := e.Subscription(t.Context(), gone.ID); err != nil || !sub.Disabled() {
		t.Errorf("the one that is gone is %+v, %v; want it disabled", sub, err)
	}
	if disabled, exhausted := e.operational(); len(disabled) != 1 || len(exhausted) != 2 {
		t.Errorf("%d operational events of disabling and %d of giving up, want 1 and 2", len(disabled),
			len(exhausted))
	}
	return e.stop
}

package dispatcher_test

import (
	"net"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// When the host's own network is down, nobody pays for it.

// unreachable is the reply of an endpoint that cannot be reached.
func unreachable() reply {
	return reply{Err: &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ENETUNREACH}}
}

// outages counts what an Observer is told of outages.
type outages struct{ started, ended []dispatcher.Outage }

func (o *outages) observer() *dispatcher.Observer {
	return &dispatcher.Observer{
		OnOutageStart: func(x dispatcher.Outage) { o.started = append(o.started, x) },
		OnOutageEnd:   func(x dispatcher.Outage) { o.ended = append(o.ended, x) },
	}
}

// subscribeMany makes n subscriptions, each to a host of its own, for one event type each.
func subscribeMany(e *engine, n int) (subs []store.Subscription) {
	for i := range n {
		subs = append(subs, e.subscribe(nthURL(i)))
	}
	return subs
}

func (e *engine) wantSubscribed(subs []store.Subscription) {
	e.t.Helper()
	for _, sub := range subs {
		got, err := e.Subscription(e.t.Context(), sub.ID)
		if err != nil || got.Status != store.Subscribed {
			e.t.Fatalf("%s is %s (%s), %v; want it subscribed", sub.URL, got.Status, got.DisabledReason, err)
		}
	}
}

func TestOutageOfOurOwnHurtsNobody(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		const hosts, down = 12, 12 * time.Hour
		var told outages
		e := newEngine(t, s, &dispatcher.Options{Observer: told.observer()})
		subs := subscribeMany(e, hosts)
		e.run()
		e.publish("order.created", "before")
		pass(time.Minute)
		e.answers(func(request) reply { return unreachable() })
		start := time.Now()
		var evs []events.Event
		for time.Since(start) < down {
			evs = append(evs, e.publish("order.created", 1))
			pass(time.Hour)
		}
		if stats, err := e.Stats(t.Context()); err != nil || stats.OutageSince.IsZero() ||
			stats.OutageSince.Sub(start) > 2*time.Minute {
			t.Errorf("Stats: outage since %v, %v; want it soon after %v", stats.OutageSince, err, start)
		}
		if n := e.states(); n[store.Pending] != len(evs)*hosts || n[store.Delivered] != hosts {
			t.Errorf("states are %v, want everything of the outage pending", n)
		}
		// The trials go to changing endpoints.
		before := len(e.seen(""))
		pass(2 * hosts * time.Second)
		tried := make(map[string]int)
		for _, r := range e.seen("")[before:] {
			tried[r.URL]++
		}
		if n := len(e.seen("")) - before; n > 2*hosts+1 || n < 2*hosts-1 || len(tried) < hosts/2 {
			t.Errorf("%d trials of %d hosts in %ds, want one a second and many hosts", n, len(tried),
				2*hosts)
		}

		e.status(200)
		pass(time.Minute)
		if n := e.states(); n[store.Delivered] != (len(evs)+1)*hosts {
			t.Errorf("states a minute after are %v, want all delivered", n)
		}
		e.wantSubscribed(subs)
		for _, d := range e.deliveries() {
			if d.Attempts > 8 { // those until it was seen, and the one that succeeded
				t.Fatalf("%d attempts were counted of a delivery, want few", d.Attempts)
			}
		}
		if stats, err := e.Stats(t.Context()); err != nil || !stats.OutageSince.IsZero() {
			t.Errorf("Stats: outage since %v, %v; want none", stats.OutageSince, err)
		}
		e.stop()
		if len(told.started) != 1 || len(told.ended) != 1 ||
			told.started[0].Since != told.ended[0].Since ||
			told.ended[0].Until.Sub(start) < down {
			t.Errorf("the Observer was told of %v and %v, want one outage of %v", told.started, told.ended,
				down)
		}
	})
}

// With fewer than five hosts, or where one in five can be reached, nobody can tell, and attempts
// count.
func TestOutageOfFewIsNone(t *testing.T) {
	for _, tt := range []struct {
		name        string
		hosts, down int
		others      int // the status of the rest
		want        bool
	}{
		{"four of four", 4, 4, 0, false},
		{"five of five", 5, 5, 0, true},
		{"eight of ten, two succeed", 10, 8, 200, false},
		{"eight of ten, two fail", 10, 8, 500, false},
		{"nineteen of twenty, one fails", 20, 19, 500, true},
		{"nineteen of twenty, one succeeds", 20, 19, 200, false},
		{"none of ten, all fail", 10, 0, 500, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var told outages
				e := newEngine(t, memstore.New(), &dispatcher.Options{Observer: told.observer()})
				subscribeMany(e, tt.hosts)
				up := make(map[string]bool)
				for i := tt.down; i < tt.hosts; i++ {
					up[nthURL(i)] = true
				}
				e.answers(func(r request) reply {
					if up[r.URL] { // those that refuse are first to answer
						return reply{Status: tt.others, Delay: time.Second}
					}
					return unreachable()
				})
				e.run()
				for range 5 {
					e.publish("order.created", 1)
					pass(20 * time.Second)
				}
				e.stop()
				if got := len(told.started) > 0; got != tt.want {
					t.Errorf("taken for an outage of our own: %v, want %v", got, tt.want)
				}
			})
		})
	}
}

// A network that comes and goes: each success ends an outage, and what fails in the minute until
// the next is seen counts, but disables and kills nothing.
func TestOutageThatFlaps(t *testing.T) {
	onEachStore(t, func(t *testing.T, s store.Store) {
		const hosts = 8
		var told outages
		e := newEngine(t, s, &dispatcher.Options{Observer: told.observer(), DisableAfter: time.Hour})
		subs := subscribeMany(e, hosts)
		e.run()
		for range 12 {
			e.answers(func(request) reply { return unreachable() })
			for range 10 {
				e.publish("order.created", 1)
				pass(30 * time.Second)
			}
			e.status(200)
			pass(30 * time.Second)
		}
		e.status(200)
		pass(10 * time.Minute)
		if n := e.states(); n[store.Delivered] != 12*10*hosts {
			t.Errorf("states are %v, want all %d delivered", n, 12*10*hosts)
		}
		e.wantSubscribed(subs)
		e.stop()
		if len(told.started) != 12 || len(told.ended) != 12 {
			t.Errorf("%d outages began and %d ended, want 12", len(told.started), len(told.ended))
		}
	})
}

// Endpoints that answer show that the network works, even if none of them takes anything.
func TestOutageEndsWhenEndpointsAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told outages
		e := newEngine(t, memstore.New(), &dispatcher.Options{Observer: told.observer()})
		subscribeMany(e, 6)
		e.answers(func(request) reply { return unreachable() })
		e.run()
		for range 10 {
			e.publish("order.created", 1)
		}
		pass(3 * time.Minute)
		e.status(500)
		pass(time.Minute)
		e.stop()
		if len(told.started) != 1 || len(told.ended) != 1 {
			t.Errorf("%d outages began and %d ended, want one", len(told.started), len(told.ended))
		}
	})
}

// A ping that succeeds ends an outage too.
func TestPingEndsAnOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told outages
		e := newEngine(t, memstore.New(), &dispatcher.Options{Observer: told.observer()})
		sub := subscribeMany(e, 6)[0]
		e.answers(func(request) reply { return unreachable() })
		e.run()
		e.publish("order.created", 1)
		pass(time.Minute)
		e.answers(func(r request) reply {
			if r.URL == sub.URL {
				return reply{Status: 200}
			}
			return unreachable()
		})
		if _, err := e.Ping(t.Context(), sub.ID); err != nil {
			t.Fatal(err)
		}
		settle()
		if len(told.started) != 1 || len(told.ended) != 1 {
			t.Errorf("%d outages began and %d ended, want one", len(told.started), len(told.ended))
		}
	})
}

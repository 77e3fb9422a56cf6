package busy

import (
	"context"
	"math"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// The past is so long, and goes on in steps.
const (
	past = 3 * 24 * time.Hour
	step = 30 * time.Second
)

// liveThrough makes a file whose past ends now. What happens in it is reckoned from the network's
// end. The bubble takes its time, so what has passed meanwhile is lived through in another.
func liveThrough(t *testing.T, path string, n *network, deliveries int) {
	perStep := float64(deliveries) / recipients() / float64(past/step)
	live(t, path, n, n.end.Add(-past), n.end, func(s *shop) {
		s.subscribe()
		s.trade(perStep, n.end, s.deeds())
	})
	for from := n.end; time.Since(from) > time.Minute; {
		until := time.Now().Truncate(time.Second)
		live(t, path, n, from, until, func(s *shop) { s.trade(perStep, until, nil) })
		from = until
	}
}

// live runs a Dispatcher on the file in a bubble, from a time until another.
func live(t *testing.T, path string, n *network, from, until time.Time, what func(*shop)) {
	synctest.Test(t, func(t *testing.T) {
		<-time.After(time.Until(from))
		s, err := boltstore.Open(path, nil)
		if err != nil {
			t.Fatal(err)
		}
		d, err := newDispatcher(s, n)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan error, 1)
		go func() { done <- d.Run(ctx) }()
		what(&shop{t: t, d: d, network: n, ids: make(map[string]string)})
		<-time.After(time.Until(until))
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// shop is what a host does for its tenants in the past.
type shop struct {
	t       *testing.T
	d       *dispatcher.Dispatcher
	network *network
	ids     map[string]string // of webhooks, by the first words of their hosts
}

// subscribe makes the webhooks.
func (s *shop) subscribe() {
	for _, tenant := range Tenants {
		for _, e := range usual() {
			if e.host == "reports" && tenant == "initech" {
				continue // it has another one: see addUnreadable
			}
			sub := store.Subscription{
				Tenant: tenant, Name: e.name, Events: e.types,
				URL:     "https://" + e.host + "." + tenant + ".example/hooks/in?token=secret",
				Headers: map[string]string{"Authorization": "Bearer secret"},
			}
			if !(e.host == "chat" && tenant == "globex") { // an old one, which is not signed
				sub.Secrets = []signing.Secret{signing.NewSecret()}
			}
			sub, err := s.d.Subscribe(s.t.Context(), sub)
			if err != nil {
				s.t.Fatal(err)
			}
			s.ids[e.host+"."+tenant] = sub.ID
		}
	}
}

// trade publishes what a shop has to tell until a time, more by day than by night.
func (s *shop) trade(perStep float64, until time.Time, deeds []deed) {
	for number := 0; time.Now().Before(until); {
		ago := time.Until(s.network.end)
		for len(deeds) > 0 && ago <= deeds[0].ago {
			if err := deeds[0].do(); err != nil {
				s.t.Fatal(err)
			}
			deeds = deeds[1:]
		}
		var batch []events.Event
		for range some(perStep * daylight(time.Now())) {
			number++
			batch = append(batch, newEvent(someTenant(), someType(), number))
		}
		if len(batch) > 0 {
			if err := s.d.Publish(s.t.Context(), batch...); err != nil {
				s.t.Fatal(err)
			}
		}
		<-time.After(min(step, time.Until(until)))
	}
}

// recipients is how many webhooks get an event, on average.
func recipients() float64 {
	all := 0
	for name, n := range often {
		for _, e := range usual() {
			if events.Wants(e.types, name) {
				all += n
			}
		}
	}
	return float64(all) / 100
}

// daylight is how busy it is at a time: 1 on average, most at two in the afternoon.
func daylight(t time.Time) float64 {
	hour := float64(t.Hour()) + float64(t.Minute())/60
	return 1 + 0.75*math.Cos((hour-14)/24*2*math.Pi)
}

// some is a whole number near mean, as often more as less.
func some(mean float64) int {
	mean *= 0.5 + rand.Float64()
	n := int(mean)
	if rand.Float64() < mean-float64(n) {
		n++
	}
	return n
}

// someTenant is a tenant; the first ones have more to tell.
func someTenant() string {
	return Tenants[min(int(rand.ExpFloat64()*1.8), len(Tenants)-1)]
}

// deed is what somebody does, so long before the end of the past.
type deed struct {
	ago time.Duration
	do  func() error
}

// deeds are all of them, the earliest first.
func (s *shop) deeds() []deed {
	ctx := s.t.Context()
	return []deed{
		{26 * time.Hour, func() error {
			_, err := s.d.Unsubscribe(ctx, s.ids["search.acme"])
			return err
		}},
		{2 * time.Hour, func() error {
			_, err := s.d.RotateSecret(ctx, s.ids["warehouse.acme"], "", 24*time.Hour)
			return err
		}},
		{35 * time.Minute, func() error { return s.order() }},
		{20 * time.Minute, func() error {
			_, err := s.d.Pause(ctx, s.ids["fraud.acme"])
			return err
		}},
		{15 * time.Minute, func() error {
			_, err := s.d.Pause(ctx, s.ids["erp.umbrella"])
			return err
		}},
	}
}

// order publishes the event that each tenant has.
func (s *shop) order() error {
	for _, tenant := range Tenants {
		e := newEvent(tenant, "order.paid", 4711-20000)
		e.ID, e.Key = Order, "order-4711"
		if err := s.d.Publish(s.t.Context(), e); err != nil {
			return err
		}
	}
	return nil
}

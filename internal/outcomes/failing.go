package outcomes

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"syscall"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

const (
	good    = "good"
	refused = "refused"
)

// refusing has endpoints answer one type with a status.
func (w *world) refusing(status int) {
	w.answers(func(r *request) reply {
		if r.eventType == refused {
			return reply{status: status}
		}
		return reply{status: 200}
	})
}

// refusedType is P3.
func refusedType(status int) func(*world) []Figure {
	return func(w *world) []Figure {
		const events = 288
		w.run(dispatcher.Options{})
		w.refusing(status)
		sub := w.subscribe("", "a.example")
		for range 26 {
			w.publish("", refused, 1)
			w.pass(time.Minute)
		}
		for range events {
			w.publish("", good, 1)
			w.pass(time.Hour)
		}
		got := w.takenBy("", good)
		return []Figure{
			{Measure: "the latest good one", Value: quantile(got, 1) / 60, Unit: " min", Bound: 10},
			{Measure: "good ones that are missing", Value: float64(events - len(got))},
			{Measure: "webhooks disabled", Value: float64(w.disabled(sub))},
		}
	}
}

// refusedShare is P4.
func refusedShare(status int) func(*world) []Figure {
	return func(w *world) []Figure {
		w.run(dispatcher.Options{})
		w.refusing(status)
		sub := w.subscribe("", "a.example")
		random := rand.New(rand.NewPCG(1, 2))
		sent := 0
		for range size(w, 2*24*60, 6*60) {
			if random.IntN(5) == 0 {
				w.publish("", refused, 1)
			} else {
				w.publish("", good, 1)
				sent++
			}
			w.pass(time.Minute)
		}
		w.pass(10 * time.Minute)
		got := w.takenBy("", good)
		return []Figure{
			{Measure: "p50 of the good ones", Value: quantile(got, 0.5), Unit: " s", Bound: 1},
			{Measure: "p99 of the good ones", Value: quantile(got, 0.99) / 60, Unit: " min", Bound: 10},
			{Measure: "good ones that are missing", Value: float64(sent - len(got))},
			{Measure: "webhooks disabled", Value: float64(w.disabled(sub))},
		}
	}
}

// down is P5: each time in turn, for one endpoint after another.
func down(w *world) (figures []Figure) {
	const waiting = 100
	w.run(dispatcher.Options{})
	outages := []time.Duration{10 * time.Minute, 3 * time.Hour, 12 * time.Hour, 4 * 24 * time.Hour}
	for i, d := range outages {
		host := fmt.Sprintf("endpoint-%d.example", i)
		w.answers(func(*request) reply { return reply{err: errors.New("reset")} })
		sub, err := w.Subscribe(context.Background(), store.Subscription{
			URL: "https://" + host + "/hook", Events: []string{host},
		})
		w.check(err)
		w.publish("", host, waiting)
		w.pass(d)
		back := time.Now()
		w.answers(nil)
		w.pass(20 * time.Minute)
		got := w.takenBy(host, "")
		first, last := time.Hour, time.Hour
		if len(got) == waiting {
			first, last = got[0].at.Sub(back), got[len(got)-1].at.Sub(back)
		}
		figures = append(figures,
			Figure{Measure: fmt.Sprintf("down for %v: the first after", d), Value: first.Minutes(),
				Unit: " min", Bound: 6},
			Figure{Measure: fmt.Sprintf("down for %v: all after", d), Value: last.Minutes(), Unit: " min",
				Bound: 10},
		)
		w.check(w.Delete(context.Background(), sub.ID))
	}
	return figures
}

// networkDown is P6.
func networkDown(w *world) []Figure {
	hosts, d := size(w, 50, 8), size(w, 6*24*time.Hour, 12*time.Hour)
	w.run(dispatcher.Options{})
	var subs []store.Subscription
	for i := range hosts {
		subs = append(subs, w.subscribe("", fmt.Sprintf("endpoint-%d.example", i)))
	}
	w.publish("", good, 1)
	w.pass(time.Hour)
	unreachable := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ENETUNREACH}
	w.answers(func(*request) reply { return reply{err: unreachable} })
	sent := 1
	for start := time.Now(); time.Since(start) < d; sent++ {
		w.publish("", good, 1)
		w.pass(time.Hour)
	}
	back := time.Now()
	w.answers(nil)
	w.pass(10 * time.Minute)
	got := w.takenBy("", "")
	last := time.Hour
	if len(got) == sent*hosts {
		last = got[len(got)-1].at.Sub(back)
	}
	return []Figure{
		{Measure: "all delivered after", Value: last.Seconds(), Unit: " s", Bound: 60},
		{Measure: "webhooks disabled", Value: float64(w.disabled(subs...))},
		{Measure: "deliveries dead", Value: float64(w.states()[store.Dead])},
	}
}

// failingTransform is P12.
func failingTransform(w *world) []Figure {
	const each = 20
	every := time.Hour
	o := dispatcher.Options{Transform: func(
		_ context.Context, _ store.Subscription, e events.Event, _ *dispatcher.Request,
	) error {
		if e.Type == refused {
			return errors.New("no template for this type")
		}
		return nil
	}}
	if w.RealTime {
		every = 100 * time.Millisecond
		o.Backoff = dispatcher.Backoff{Initial: every, Multiplier: 1, Max: every}
	}
	w.run(o)
	sub := w.subscribe("", "a.example")
	for range each {
		w.publish("", refused, 1)
		w.publish("", good, 1)
		w.pass(every)
	}
	w.until(4*24*time.Hour, func() bool { return w.pending() == 0 })
	latest := quantile(w.takenBy("", good), 1)
	page, err := w.Deliveries(context.Background(), store.DeliveryQuery{
		States: []store.State{store.Dead}, Limit: 1000,
	})
	w.check(err)
	named := 0
	for i := range page.Items {
		d := &page.Items[i]
		if d.EventType == refused && dispatcher.ErrorClass(d.LastError) == dispatcher.ClassSender {
			named++
		}
	}
	stats, err := w.SubscriptionStats(context.Background(), sub.ID)
	w.check(err)
	return []Figure{
		{Measure: "of that type dead with the reason", Value: float64(named) / each, Bound: 1,
			AtLeast: true},
		{Measure: "the latest of another type", Value: latest, Unit: " s",
			Bound: 1 + w.slack(time.Second)},
		{Measure: "those of another type that are missing",
			Value: float64(each - len(w.takenBy("", good)))},
		{Measure: "failures of the webhook", Value: float64(stats.Failures)},
		{Measure: "webhooks disabled", Value: float64(w.disabled(sub))},
	}
}

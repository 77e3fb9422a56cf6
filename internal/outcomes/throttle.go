package outcomes

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
)

// onePerSecond has endpoints take a request a second, and answer others with 429.
func (w *world) onePerSecond(retryAfter string) {
	var last time.Time
	w.answers(func(*request) reply {
		if now := time.Now(); now.Sub(last) >= time.Second {
			last = now
			return reply{status: 200}
		}
		return reply{status: 429, retryAfter: retryAfter}
	})
}

// share returns the part of all answers that were a 429.
func (w *world) throttledShare() float64 {
	w.mu.Lock()
	defer w.mu.Unlock()
	return 100 * float64(w.statuses[429]) / float64(max(w.requests, 1))
}

// throttled is P7.
func throttled(retryAfter string) func(*world) []Figure {
	return func(w *world) []Figure {
		const n = 2000 // what is learnt at the beginning weighs too much in less
		w.run(dispatcher.Options{})
		w.onePerSecond(retryAfter)
		w.subscribe("", "a.example")
		start := time.Now()
		w.publish("", good, n)
		ideal := time.Duration(n) * time.Second
		for len(w.takenBy("", "")) < n && time.Since(start) < 4*ideal {
			w.pass(time.Second)
		}
		slower, share := 1.15, 5.0
		if retryAfter == "" {
			slower, share = 1.5, 15
		}
		return []Figure{
			{Measure: "time ÷ the ideal", Value: float64(time.Since(start)) / float64(ideal), Bound: slower},
			{Measure: "answers of 429", Value: w.throttledShare(), Unit: " %", Bound: share},
			{Measure: "deliveries dead", Value: float64(w.states()[store.Dead])},
		}
	}
}

// trickle is P8.
func trickle(retryAfter string) func(*world) []Figure {
	return func(w *world) []Figure {
		w.run(dispatcher.Options{})
		w.onePerSecond(retryAfter)
		w.subscribe("", "a.example")
		random := rand.New(rand.NewPCG(3, 4))
		sent := 0
		for start := time.Now(); time.Since(start) < size(w, 4*time.Hour, 30*time.Minute); sent++ {
			w.publish("", good, 1)
			w.pass(time.Duration(2 * random.ExpFloat64() * float64(time.Second)))
		}
		w.pass(time.Minute)
		got := w.takenBy("", "")
		return []Figure{
			{Measure: "p99", Value: quantile(got, 0.99), Unit: " s", Bound: 10},
			{Measure: "events that are missing", Value: float64(sent - len(got))},
		}
	}
}

// replay is P9.
func replay(w *world) []Figure {
	n, answer := size(w, 5000, 1200), 10*time.Millisecond
	var o dispatcher.Options
	if w.RealTime {
		// Attempts that start one after another at nearly the same time arrive as the machine has
		// it.
		o.PerSubscription, answer = 1, 0
	}
	w.run(o)
	w.answers(func(*request) reply { return reply{status: 200, after: answer} })
	sub := w.subscribe("", "a.example")
	for i := range n / 100 {
		w.publish("", good, 100)
		w.until(time.Second, func() bool { return len(w.takenBy("", "")) == 100*(i+1) })
	}
	first := w.takenBy("", "")
	if len(first) != n {
		w.t.Fatalf("%d of %d events arrived", len(first), n)
	}
	count, err := w.Replay(context.Background(), store.DeliveryQuery{SubscriptionID: sub.ID})
	w.check(err)
	w.until(10*time.Minute, func() bool { return len(w.takenBy("", "")) >= 2*n })
	again := w.takenBy("", "")[n:]
	// What arrives at the same time has no order, and IDs are in the order of Publish.
	late, newest := 0, ""
	for i := 0; i < len(again); {
		j := i
		for j < len(again) && again[j].at.Equal(again[i].at) {
			if again[j].eventID < newest {
				late++
			}
			j++
		}
		for ; i < j; i++ {
			newest = max(newest, again[i].eventID)
		}
	}
	return []Figure{
		{Measure: "replayed events that are missing", Value: float64(2*n - count - len(again))},
		{Measure: "events that came after a later one", Value: float64(late)},
	}
}

package outcomes

import (
	"fmt"
	"time"

	"github.com/outhook/outhook/dispatcher"
)

const (
	quickHost   = "quick.example"
	quickAnswer = 5 * time.Millisecond
	quickEvery  = 200 * time.Millisecond
)

// beside publishes to the quick webhook of tenant b for a time, with others under way, and measures
// what it notices of them.
func (w *world) beside(d time.Duration, each func()) []Figure {
	w.subscribe("b", quickHost)
	w.publish("b", "quick", 1) // it has been seen to work
	w.pass(time.Second)
	sent := 1
	for start := time.Now(); time.Since(start) < d; sent++ {
		if sent%5 == 0 && each != nil {
			each()
		}
		w.publish("b", "quick", 1)
		w.pass(quickEvery)
	}
	w.pass(time.Second)
	got := w.takenBy(quickHost, "")
	if len(got) == 0 {
		w.t.Fatal("nothing arrived at the quick webhook")
	}
	return []Figure{
		{Measure: "p99 of the quick webhook", Value: 1000 * quantile(got[1:], 0.99), Unit: " ms", Bound: 50},
		{Measure: "events of it that are missing", Value: float64(sent - len(got))},
	}
}

// slowTenant is P1.
func slowTenant(w *world) []Figure {
	w.run(dispatcher.Options{})
	w.answers(func(r *request) reply {
		if r.host == quickHost {
			return reply{status: 200, after: quickAnswer}
		}
		return reply{status: 200, after: 14 * time.Second}
	})
	for i := range 40 {
		w.subscribe("a", fmt.Sprintf("slow-%d.example", i))
	}
	return w.beside(size(w, 5*time.Minute, time.Minute), func() { w.publish("a", "slow", 1) })
}

// greedyTenant is P2.
func greedyTenant(w *world) []Figure {
	webhooks, each := size(w, 10_000, 400), size(w, 20, 100)
	w.run(dispatcher.Options{})
	w.answers(func(r *request) reply {
		if r.host == quickHost {
			return reply{status: 200, after: quickAnswer}
		}
		return reply{status: 200, after: 100 * time.Millisecond}
	})
	for i := range webhooks {
		w.subscribe("a", fmt.Sprintf("greedy-%d.example", i))
	}
	w.publish("a", "flood", each)
	figures := w.beside(size(w, time.Minute, 10*time.Second), nil)
	if w.states()["pending"] == 0 {
		w.t.Error("the flood was over before the end")
	}
	return figures
}

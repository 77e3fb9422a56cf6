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

// beside measures how long the events of tenant b's quick webhook take: alone for a while, and then
// beside what begin starts and each goes on with once a second. A newcomer gets its first event
// meanwhile.
func (w *world) beside(alone, beside time.Duration, begin, each func()) []Figure {
	w.subscribe("b", quickHost)
	w.quick(time.Second, nil) // it has been seen to work
	before, missing := w.quick(alone, nil)
	begin()
	const newcomer = "newcomer.example"
	w.subscribe("c", newcomer)
	w.publish("c", "quick", 1)
	after, more := w.quick(beside, each)
	missing += more + 1 - len(w.takenBy(newcomer, ""))
	const bound = 50 // ms
	return []Figure{
		{
			Measure: fmt.Sprintf("p99 of the quick webhook; alone %.3g ms", before),
			Value:   after, Unit: " ms", Bound: max(2*before, bound) + w.slack(time.Millisecond),
		},
		{Measure: "events of quick webhooks that are missing", Value: float64(missing)},
	}
}

// quick publishes to the quick webhook for a time, and calls each once a second. It returns the p99
// from Publish to arrival in ms, and how many events did not arrive.
func (w *world) quick(d time.Duration, each func()) (p99 float64, missing int) {
	w.t.Helper()
	earlier := len(w.takenBy(quickHost, ""))
	sent := 0
	for start := time.Now(); time.Since(start) < d; sent++ {
		if sent%5 == 0 && each != nil {
			each()
		}
		w.publish("b", "quick", 1)
		w.pass(quickEvery)
	}
	w.until(time.Second, func() bool { return len(w.takenBy(quickHost, "")) >= earlier+sent })
	got := w.takenBy(quickHost, "")[earlier:]
	if len(got) == 0 {
		w.t.Fatal("nothing arrived at the quick webhook")
	}
	return 1000 * quantile(got, 0.99), sent - len(got)
}

// quickBut has the quick hosts answer soon, and all others after d.
func (w *world) quickBut(d time.Duration) {
	w.answers(func(r *request) reply {
		if r.eventType == "quick" {
			return reply{status: 200, after: quickAnswer}
		}
		return reply{status: 200, after: d}
	})
}

// slowTenant is P1.
func slowTenant(w *world) []Figure {
	alone, beside := size(w, time.Minute, 5*time.Second), size(w, 5*time.Minute, time.Minute)
	if w.RealTime {
		beside = size(w, 2*time.Minute, 15*time.Second) // longer than a slow answer takes
	}
	w.run(dispatcher.Options{})
	w.quickBut(14 * time.Second)
	figures := w.beside(alone, beside, func() {
		for i := range 40 {
			w.subscribeTo("a", fmt.Sprintf("slow-%d.example", i), "slow")
		}
		w.publish("a", "slow", 1)
	}, func() { w.publish("a", "slow", 1) })
	if w.pending() < dispatcher.DefaultConcurrency {
		w.t.Error("the slow webhooks had too few events to take all slots")
	}
	return figures
}

// greedyTenant is P2.
func greedyTenant(w *world) []Figure {
	webhooks, each := size(w, 10_000, 400), size(w, 20, 100)
	alone, beside := size(w, time.Minute, 5*time.Second), size(w, time.Minute, 10*time.Second)
	w.run(dispatcher.Options{})
	w.quickBut(100 * time.Millisecond)
	figures := w.beside(alone, beside, func() {
		for i := range webhooks {
			w.subscribeTo("a", fmt.Sprintf("greedy-%d.example", i), "flood")
		}
		w.publish("a", "flood", each)
	}, nil)
	if w.pending() == 0 {
		w.t.Error("the flood was over before the end")
	}
	return figures
}

package liveness

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/check"
)

func livenessRules() []check.Rule {
	return []check.Rule{
		{Name: "keys", Test: func(c *check.Driver) { sequences(c, false) },
			Sentence: "After any sequence of claims, finishes, releases and requeues, " +
				"everything due is claimed in the end, and of one Key one after another."},
		{Name: "host-transactions", Test: func(c *check.Driver) {
			sequences(c, true)
		}, HostTx: true,
			Sentence: "If a host transaction commits late, its events, and those that wait " +
				"behind them, are claimed in the end."},
	}
}

// sequences does short random sequences of operations, each on a subscription of its own, and sees
// after each that everything comes to an end. A sequence is short, so that the state in which it
// stops is any that a few operations lead to; and what is done depends on its number alone.
func sequences(c *check.Driver, withHost bool) {
	n := 200
	if c.Slow {
		n = 40
	}
	for i := range n {
		w := sequence{Driver: c, rand: rand.New(rand.NewPCG(uint64(i), 1)),
			sub: c.Subscribe(fmt.Sprintf("sequence.n%d", i))}
		w.run(withHost)
		if len(c.Violations()) > 0 {
			c.Errorf("sequence %d, what was done, the last at the end:\n\t%s", i,
				strings.Join(w.done, "\n\t"))
			return
		}
	}
}

// sequence is a random one of operations.
type sequence struct {
	*check.Driver
	rand *rand.Rand
	sub  store.Subscription

	keys   map[string]string // by event ID
	claims []store.Claim     // leased, as far as is known
	old    []store.Claim     // all claims that there were
	ended  []string          // events with a delivery that has ended
	tx     check.HostTx      // open, if not nil
	inTx   []events.Event    // what was enqueued in it
	done   []string
}

func (w *sequence) note(format string, args ...any) {
	w.done = append(w.done, fmt.Sprintf(format, args...))
}

func (w *sequence) run(withHost bool) {
	w.keys = make(map[string]string)
	operations := []func(){w.publish, w.publish, w.claimSome, w.claimSome, w.claimSome,
		w.finishSome, w.finishSome,
		w.finishSome, w.releaseSome, w.redeliver, w.redeliver, w.redeliver, w.replay, w.late}
	if withHost {
		operations = append(operations, w.beginOrEnd, w.beginOrEnd, w.beginOrEnd)
	}
	for _, do := range w.plot(withHost) {
		if w.tx != nil && w.Hosted.Exclusive { // nothing else that writes goes on
			w.end(true)
		}
		do()
		if w.rand.IntN(4) == 0 {
			w.any(operations)
		}
	}
	for range w.rand.IntN(8) {
		w.any(operations)
	}
	if w.tx != nil {
		w.end(w.rand.IntN(4) > 0)
	}
	w.drain()
}

// any does any of the operations that can be done now.
func (w *sequence) any(operations []func()) {
	if w.tx != nil && w.Hosted.Exclusive {
		operations = []func(){w.claimSome, w.beginOrEnd}
	}
	operations[w.rand.IntN(len(operations))]()
}

// plot returns what the sequence begins with. By chance alone it would seldom come to where
// deliveries of one Key are leased at the same time with others behind them, which takes one that
// is requeued, or committed late, while a later one is leased.
func (w *sequence) plot(withHost bool) []func() {
	switch n := w.rand.IntN(3); {
	case n == 0:
		return []func(){w.publish, w.claimSome, w.publish, w.finishSome}
	case n == 1 && withHost:
		return []func(){w.beginOrEnd, w.publish, w.publish, w.claimSome, w.beginOrEnd, w.claimSome,
			w.finishSome}
	}
	return []func(){w.publish, w.publish, w.claimSome, w.finishSome, w.claimSome, w.redeliver,
		w.claimSome, w.finishSome}
}

// events returns some events that only this one's subscription wants, mostly with one Key.
func (w *sequence) events() []events.Event {
	evs := make([]events.Event, 1+w.rand.IntN(3))
	for i := range evs {
		evs[i] = w.Event(w.sub.Events[0])
		evs[i].Key = []string{"k", "k", "k", "k", "l", ""}[w.rand.IntN(6)]
		w.keys[evs[i].ID] = evs[i].Key
	}
	return evs
}

func (w *sequence) publish() {
	evs := w.events()
	w.note("enqueue %s", w.describe(evs))
	w.Enqueue(evs...)
}

func (w *sequence) describe(evs []events.Event) string {
	var words []string
	for _, ev := range evs {
		words = append(words, fmt.Sprintf("%s with key %q", ev.ID, ev.Key))
	}
	return strings.Join(words, ", ")
}

func (w *sequence) claimSome() {
	claims := w.Driver.Claim(1 + w.rand.IntN(3))
	w.note("claim %v", check.Claimed(claims))
	w.claims, w.old = append(w.claims, claims...), append(w.old, claims...)
}

// some takes some of the leased claims, in any order; often all.
func (w *sequence) some() []store.Claim {
	w.rand.Shuffle(len(w.claims), func(i, j int) {
		w.claims[i], w.claims[j] = w.claims[j], w.claims[i]
	})
	n := len(w.claims)
	if n > 1 && w.rand.IntN(2) == 0 {
		n = 1 + w.rand.IntN(n)
	}
	some := slices.Clone(w.claims[:n])
	w.claims = slices.Clone(w.claims[n:])
	return some
}

// finishSome records outcomes of some claims in one call. Whether they count is not asked: a
// requeue may have come between.
func (w *sequence) finishSome() {
	var outcomes []store.Outcome
	for _, cl := range w.some() {
		o := check.Delivered(cl)
		switch w.rand.IntN(6) {
		case 0:
			o = check.Failed(cl, 0)
		case 1:
			o = check.Dead(cl)
		case 2:
			o = check.Canceled(cl, "filtered")
		}
		if o.State != store.Pending {
			w.ended = append(w.ended, cl.EventID)
		}
		w.note("finish %s: %s", cl.EventID, o.State)
		outcomes = append(outcomes, o)
	}
	w.Finish(outcomes...)
}

func (w *sequence) releaseSome() {
	claims := w.some()
	w.note("release %v", check.Claimed(claims))
	w.Release(claims...)
}

// late records a success of a claim that may be worth nothing any more.
func (w *sequence) late() {
	if len(w.old) == 0 {
		return
	}
	cl := w.old[w.rand.IntN(len(w.old))]
	w.note("finish %s, perhaps late: delivered", cl.EventID)
	w.Finish(check.Delivered(cl))
	w.ended = append(w.ended, cl.EventID)
}

// redeliver requeues a delivery that has ended, if there is one, often while later ones of its Key
// are leased.
func (w *sequence) redeliver() {
	if len(w.ended) == 0 {
		return
	}
	id := w.ended[w.rand.IntN(len(w.ended))]
	w.note("requeue %s", id)
	w.Requeue(store.DeliveryQuery{SubscriptionID: w.sub.ID, EventID: id, States: store.States()})
}

func (w *sequence) replay() {
	w.note("requeue all")
	w.Requeue(store.DeliveryQuery{SubscriptionID: w.sub.ID, Limit: 1 + w.rand.IntN(3)})
}

// beginOrEnd begins a host transaction, or ends the one that is open.
func (w *sequence) beginOrEnd() {
	if w.tx != nil {
		w.end(w.rand.IntN(4) > 0)
		return
	}
	w.inTx = w.events()
	w.note("begin, and enqueue %s", w.describe(w.inTx))
	w.tx = w.Enqueued(w.inTx...)
}

func (w *sequence) end(commit bool) {
	tx := w.tx
	w.tx = nil
	if commit {
		w.note("commit")
		w.Must("Commit", tx.Commit(w.Ctx()))
		return
	}
	w.note("roll back")
	w.Must("Rollback", tx.Rollback(w.Ctx()))
}

// drain ends what is leased in one call, and then claims until there is nothing more.
func (w *sequence) drain() {
	if w.rand.IntN(2) == 0 {
		w.note("finish %v: delivered", check.Claimed(w.claims))
		var outcomes []store.Outcome
		for _, cl := range w.claims {
			outcomes = append(outcomes, check.Delivered(cl))
		}
		w.Finish(outcomes...)
	}
	w.note("release all that was claimed")
	w.Release(w.old...)
	for range 3 * len(w.keys) {
		claims := w.Driver.Claim(100)
		if len(claims) == 0 {
			break
		}
		w.note("claim %v", check.Claimed(claims))
		w.oneOfEachKey(claims)
		for _, cl := range claims {
			w.Counts(check.Delivered(cl))
		}
	}
	stats := w.Stats(w.sub.ID)
	if stats.Pending > 0 || stats.InFlight > 0 {
		pending := w.Deliveries(store.DeliveryQuery{SubscriptionID: w.sub.ID,
			States: []store.State{store.Pending}})
		w.Errorf("nothing can be claimed any more: got %d pending and %d in flight, "+
			"want none; they are %v",
			stats.Pending, stats.InFlight, check.Listed(pending))
	}
}

// oneOfEachKey checks claims that were made while nothing else was leased.
func (w *sequence) oneOfEachKey(claims []store.Claim) {
	seen := make(map[string]string)
	for _, cl := range claims {
		if key := w.keys[cl.EventID]; key != "" {
			if before, twice := seen[key]; twice {
				w.Errorf("claims of key %q: got %s and %s at the same time, want one after another",
					key, before, cl.EventID)
			}
			seen[key] = cl.EventID
		}
	}
}

package dispatchertest

import (
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

// patience is how long a test waits in real time. It is far more than a delivery needs, so that a
// loaded machine fails no test. fakePatience is longer than any retry of the default schedule is
// away: in a bubble it passes at once.
const (
	patience     = 10 * time.Second
	fakePatience = 7 * 24 * time.Hour
)

// inBubble reports whether time is that of a testing/synctest bubble, which begins at the start of
// the year 2000.
func inBubble() bool { return time.Now().Year() < 2020 }

// patient returns how long to wait.
func patient() time.Duration {
	if inBubble() {
		return fakePatience
	}
	return patience
}

// Next returns the next request that was answered, in the order of their answers. Next waits for it
// up to ten seconds, or in a testing/synctest bubble for a week, so through all retries of the
// default schedule; then it fails the test.
func (r *Receiver) Next() Delivery {
	r.t.Helper()
	return r.wait(&r.next, "")
}

// wait returns the first request after *next to a URL, or ("") to any, and moves *next behind it.
func (r *Receiver) wait(next *int, url string) Delivery {
	r.t.Helper()
	timer := time.NewTimer(patient())
	defer timer.Stop()
	for {
		r.mu.Lock()
		for ; *next < len(r.all); *next++ {
			if d := r.all[*next]; url == "" || d.URL == url {
				*next++
				r.mu.Unlock()
				return d
			}
		}
		more := r.more
		r.mu.Unlock()
		select {
		case <-more:
		case <-timer.C:
			r.t.Fatalf("dispatchertest: no delivery arrived within %v%s", patient(), r.whatIsPending())
		}
	}
}

// All returns every request that was answered so far, in the order of their answers. To see that
// something is not sent, call WaitIdle before.
func (r *Receiver) All() []Delivery {
	r.mu.Lock()
	defer r.mu.Unlock()
	return append([]Delivery(nil), r.all...)
}

// WaitIdle waits until nothing more happens by itself: every delivery has been delivered, given up
// or canceled, or its subscription is paused, unverified or read by poll. So it waits for every
// retry; in a testing/synctest bubble that takes no time, elsewhere it fails the test when nothing
// has happened for ten seconds beyond the Timeout of an attempt. Functions of an Observer may still
// be about to be called.
func (r *Receiver) WaitIdle() {
	r.t.Helper()
	const most = 100 * time.Millisecond
	seen, since, tick := "", time.Now(), time.Millisecond
	for {
		r.mu.Lock()
		arrived, more := len(r.all), r.more
		r.mu.Unlock()
		p := r.pending()
		if p.active == 0 {
			return
		}
		if is := fmt.Sprint(arrived, p.active, p.next); is != seen {
			seen, since, tick = is, time.Now(), time.Millisecond
		}
		sleep := tick
		tick = min(2*tick, most)
		if wait := time.Until(p.next); wait > sleep && !p.now {
			sleep = wait // all wait for a retry, or the like
			if !inBubble() {
				sleep = min(sleep, most)
			} else {
				since = p.next
			}
		}
		if time.Since(since) > patience+r.timeout {
			r.t.Fatalf("dispatchertest: nothing has happened for %v%s", patience+r.timeout,
				r.whatIsPending())
		}
		timer := time.NewTimer(sleep)
		select {
		case <-more:
		case <-timer.C:
		}
		timer.Stop()
	}
}

// pendings sums up what is pending.
type pendings struct {
	active int       // how many deliveries end, or are tried again, by themselves
	now    bool      // one of them is due, or under way
	next   time.Time // otherwise, when the first of them is tried again
	first  *store.Delivery
}

// pending looks at what is pending now.
func (r *Receiver) pending() (p pendings) {
	r.t.Helper()
	q := store.DeliveryQuery{AnyTenant: true, States: []store.State{store.Pending}}
	for {
		page, err := r.d.Deliveries(context.Background(), q)
		if err != nil {
			r.t.Fatalf("dispatchertest: what is pending: %v", err)
		}
		for i := range page.Items {
			p.add(&page.Items[i])
		}
		if page.Next == "" {
			return p
		}
		q.Cursor = page.Next
	}
}

// add adds a delivery.
func (p *pendings) add(d *store.Delivery) {
	switch d.Wait {
	case store.WaitPaused, store.WaitUnverified, store.WaitPoll:
		return
	}
	p.active++
	p.first = d // the last is the oldest
	if d.Wait == store.WaitKey {
		return // for another that is pending
	}
	at := d.DueAt
	if d.WaitUntil.After(at) {
		at = d.WaitUntil
	}
	if d.Wait == store.WaitUnderWay || !at.After(time.Now()) {
		p.now = true
	} else if p.next.IsZero() || at.Before(p.next) {
		p.next = at
	}
}

// whatIsPending is the end of a message.
func (r *Receiver) whatIsPending() string {
	p := r.pending()
	if p.active == 0 {
		return ""
	}
	d := p.first
	text := fmt.Sprintf("; %d pending, the oldest the %s %s after %d attempts: %s", p.active,
		d.EventType, d.EventID, d.Attempts, d.Wait)
	if wait := time.Until(d.DueAt).Round(time.Second); wait > 0 {
		text += fmt.Sprintf(", due in %v; in a testing/synctest bubble that takes no time", wait)
	}
	return text
}

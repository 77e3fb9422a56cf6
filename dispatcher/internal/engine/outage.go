package engine

import (
	"sync"
	"time"

	"github.com/outhook/outhook/dispatcher/internal/send"
)

// When the host's own network is down, every endpoint looks down. It would be wrong to hold that
// against them: their deliveries would use up their attempts, and within days all would be
// disabled. So attempts are watched over a sliding minute. If five hosts could not be reached in
// it, nine of ten attempts failed before a connection stood, and none succeeded, it is an outage of
// our own. With fewer hosts nobody can tell, and the breakers of the endpoints do their work. It
// takes some seconds of failures at least: when Run starts with a backlog, those who refuse answer
// before those who take something.
const (
	outageWindow = 60 // seconds
	outageHosts  = 5
	outageTenths = 9 // of ten attempts
	outageAfter  = 5 // seconds from the first to the last of the attempts

	// trialEvery is how often an attempt is made in an outage.
	trialEvery = time.Second

	// maxOutageHosts is how many hosts are remembered: enough to see that there are outageHosts.
	maxOutageHosts = 64
)

// outage tells an outage of our own, and what may be claimed in one. It may be used by any number
// of goroutines.
//
// An outage ends with the first success. It also ends when more than a tenth of the attempts of the
// last minute had a connection: then it is over, and it is the endpoints that fail.
type outage struct {
	mu          sync.Mutex
	window      [outageWindow]attemptTally // by second
	unreachable map[string]int64           // by host, the second in which it could not be reached last
	since       time.Time                  // zero while there is no outage
	trialAt     time.Time                  // when the next trial may be claimed
}

// attemptTally counts the attempts of one second.
type attemptTally struct {
	second                           int64
	attempts, unreachable, succeeded int
}

// outageChange is what an attempt made of the outage.
type outageChange int

const (
	outageUnchanged outageChange = iota
	outageStarted
	outageEnded
)

// newOutage returns an outage that has seen no attempt.
func newOutage() *outage { return &outage{unreachable: make(map[string]int64)} }

// reset forgets everything: what was seen before a Run says nothing of the network now.
func (o *outage) reset() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.forget()
}

// forget makes it that of an Engine that has made no attempt. o.mu is held.
func (o *outage) forget() {
	o.window = [outageWindow]attemptTally{}
	clear(o.unreachable)
	o.since, o.trialAt = time.Time{}, time.Time{}
}

// began returns when the outage began; zero if there is none.
func (o *outage) began() time.Time {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.since
}

// observe takes note of an attempt. release says that it failed because of the outage, and that
// its delivery must not pay for it. since is when the outage began that started or ended.
func (o *outage) observe(r *send.Result, now time.Time) (release bool, change outageChange,
	since time.Time) {
	if r.Host == "" {
		return false, outageUnchanged, time.Time{} // it never got to the network
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.count(r, now.Unix())
	switch {
	case r.Kind == send.KindDelivered && o.since.IsZero():
		// Nearly always. The window need not be added up for it.
	case o.since.IsZero() && r.Unreachable && o.isOutage(now.Unix()):
		o.since, o.trialAt = now, now.Add(trialEvery)
		change, since = outageStarted, now
	case !o.since.IsZero() && (r.Kind == send.KindDelivered || !o.mostUnreachable(now.Unix())):
		change, since = outageEnded, o.since
		// The failures of the minute that is over would begin the next outage at once.
		o.forget()
		o.count(r, now.Unix())
	}
	return r.Unreachable && !o.since.IsZero(), change, since
}

// count adds an attempt to the tally of its second. o.mu is held.
func (o *outage) count(r *send.Result, second int64) {
	t := &o.window[second%outageWindow]
	if t.second != second { // it is of a minute ago, or more
		*t = attemptTally{second: second}
	}
	t.attempts++
	if r.Kind == send.KindDelivered {
		t.succeeded++
	}
	if r.Unreachable {
		t.unreachable++
		o.remember(r.Host, second)
	}
}

// remember keeps a host that could not be reached. The map is bounded, because 10,000 dead
// endpoints have as many hosts: when it is full of hosts of the last minute, those are enough. o.mu
// is held.
func (o *outage) remember(host string, second int64) {
	if _, known := o.unreachable[host]; !known && len(o.unreachable) >= maxOutageHosts {
		for h, last := range o.unreachable {
			if last <= second-outageWindow {
				delete(o.unreachable, h)
			}
		}
		if len(o.unreachable) >= maxOutageHosts {
			return
		}
	}
	o.unreachable[host] = second
}

// sum adds the tallies of the last minute. Its second is the first that has attempts.
func (o *outage) sum(second int64) (all attemptTally) {
	all.second = second
	for i := range o.window {
		if t := &o.window[i]; t.second > second-outageWindow {
			all.second = min(all.second, t.second)
			all.attempts += t.attempts
			all.unreachable += t.unreachable
			all.succeeded += t.succeeded
		}
	}
	return all
}

// mostUnreachable reports whether nine of ten attempts of the last minute had no connection.
func (o *outage) mostUnreachable(second int64) bool {
	all := o.sum(second)
	return 10*all.unreachable >= outageTenths*all.attempts
}

// isOutage reports whether the last minute is that of an outage.
func (o *outage) isOutage(second int64) bool {
	all := o.sum(second)
	if all.succeeded > 0 || 10*all.unreachable < outageTenths*all.attempts ||
		second-all.second < outageAfter {
		return false
	}
	hosts := 0
	for _, last := range o.unreachable {
		if last > second-outageWindow {
			hosts++
		}
	}
	return hosts >= outageHosts
}

// mayClaim returns how many deliveries may be claimed of free slots, and how long to wait if none
// may: in an outage it is one a second. As the store gives out turns, the trials go to changing
// endpoints.
func (o *outage) mayClaim(free int, now time.Time) (max int, wait time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since.IsZero() {
		return free, 0
	}
	if d := o.trialAt.Sub(now); d > 0 {
		return 0, d
	}
	return min(free, 1), 0
}

// claimed says that n deliveries were claimed. In an outage the next trial is a second away then; a
// claim that found nothing was none.
func (o *outage) claimed(n int, now time.Time) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if n > 0 && !o.since.IsZero() {
		o.trialAt = now.Add(trialEvery)
	}
}

// observe takes note of an attempt, tells of an outage that starts or ends with it, and reports
// whether the claim is to be released: its delivery must not pay for an outage of our own.
func (e *Engine) observe(r *send.Result, now time.Time) (release bool) {
	release, change, since := e.outage.observe(r, now)
	// The mutex is free again here: the Logger is the host's, and may be slow.
	switch change {
	case outageStarted:
		e.Logger.Error(
			"outhook: no endpoint can be reached, so it is taken for an outage of this host's network; "+
				"failed attempts do not count until one succeeds", "hosts", outageHosts)
		e.Listener.OutageStarted(since)
	case outageEnded:
		e.Logger.Info("outhook: endpoints can be reached again", "after", now.Sub(since))
		e.Listener.OutageEnded(since, now)
	}
	return release
}

// Reached says that an endpoint took a request which was not of the queue: an outage is over.
func (e *Engine) Reached(r *send.Result) { e.observe(r, time.Now()) }

// OutageSince returns when an outage of our own began; zero if there is none.
func (e *Engine) OutageSince() time.Time { return e.outage.began() }

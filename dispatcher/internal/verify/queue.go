package verify

import (
	"context"
	"sync"
	"time"
)

// delays are when an endpoint is asked by itself: as soon as its subscription is stored, and some
// times more, as it may be set up at the same time. After that its owner asks.
var delays = [...]time.Duration{0, 10 * time.Second, time.Minute, 10 * time.Minute}

const (
	// maxWaiting is how many subscriptions wait to be asked about. Of more, the owners ask.
	maxWaiting = 10_000

	// maxAsking is how many are asked at once.
	maxAsking = 64
)

// Queue is the subscriptions whose endpoints are to be asked by the process that has stored them.
// It is in memory alone: after a restart the owner asks. It is safe for concurrent use.
type Queue struct {
	// ask asks about one subscription, and reports whether it is to be asked about again later. If
	// it could not ask now, it says after how long it may.
	ask func(ctx context.Context, id string) (again bool, refused time.Duration)

	mu      sync.Mutex
	waiting map[string]waiting
	wake    chan struct{} // one slot: there is something new
}

type waiting struct {
	at      time.Time
	done    int // how often it was asked
	refused int // how often it could not be asked since
}

// NewQueue returns an empty Queue.
func NewQueue(
	ask func(ctx context.Context, id string) (again bool, refused time.Duration),
) *Queue {
	return &Queue{
		ask: ask, waiting: make(map[string]waiting), wake: make(chan struct{}, 1),
	}
}

// Add has Run ask about a subscription now, and again at the usual delays.
func (q *Queue) Add(id string) { q.put(id, waiting{at: time.Now()}) }

func (q *Queue) put(id string, w waiting) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if _, there := q.waiting[id]; !there && len(q.waiting) >= maxWaiting {
		return
	}
	q.waiting[id] = w
	select {
	case q.wake <- struct{}{}:
	default:
	}
}

// Run asks until ctx ends, and returns when all that it asked has ended.
func (q *Queue) Run(ctx context.Context) {
	var calls sync.WaitGroup
	defer calls.Wait()
	room := make(chan struct{}, maxAsking)
	for ctx.Err() == nil {
		id, w, wait := q.next(time.Now())
		if id == "" {
			q.sleep(ctx, wait)
			continue
		}
		select {
		case room <- struct{}{}:
		case <-ctx.Done():
			return
		}
		calls.Go(func() {
			defer func() { <-room }()
			again, refused := q.ask(ctx, id)
			if refused > 0 { // the endpoint has not been asked
				w.refused++
				q.again(id, waiting{time.Now().Add(postponed(refused, w.refused)), w.done, w.refused})
				return
			}
			if w.done++; again && w.done < len(delays) {
				q.again(id, waiting{time.Now().Add(delays[w.done]), w.done, 0})
			}
		})
	}
}

// maxPostponed is how long one waits at most that is refused over and over, unless it has to.
const maxPostponed = time.Minute

// postponed returns how long one waits that was refused n times in a row. It grows, as thousands
// may wait for the same quota, which takes a few of them at a time.
func postponed(refused time.Duration, n int) time.Duration {
	return max(refused, min(refused*time.Duration(n), maxPostponed))
}

// next takes out the subscription that is due; if none is, wait says how long it takes, -1 for
// ever.
func (q *Queue) next(now time.Time) (id string, w waiting, wait time.Duration) {
	q.mu.Lock()
	defer q.mu.Unlock()
	wait = -1
	for name, of := range q.waiting {
		d := of.at.Sub(now)
		if d <= 0 {
			delete(q.waiting, name)
			return name, of, 0
		}
		if wait < 0 || d < wait {
			wait = d
		}
	}
	return "", w, wait
}

// again puts one back, unless it was added anew meanwhile.
func (q *Queue) again(id string, w waiting) {
	q.mu.Lock()
	_, there := q.waiting[id]
	q.mu.Unlock()
	if !there {
		q.put(id, w)
	}
}

func (q *Queue) sleep(ctx context.Context, d time.Duration) {
	var due <-chan time.Time
	if d >= 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		due = timer.C
	}
	select {
	case <-ctx.Done():
	case <-q.wake:
	case <-due:
	}
}

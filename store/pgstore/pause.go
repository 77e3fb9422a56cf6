package pgstore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
)

// pauses are the subscriptions that this replica does not claim deliveries of for a time. The zero value is none.
type pauses struct {
	mu    sync.Mutex // guards until
	until map[string]time.Time
}

// Pause implements [store.Queue].
//
// It holds in this replica only, and by its clock.
func (s *Store) Pause(ctx context.Context, subscriptionID string, d time.Duration) error {
	err := store.ValidatePause(d)
	if err == nil {
		err = s.begin(ctx)
	}
	if err != nil {
		return fmt.Errorf("pgstore: pause: %w", err)
	}
	if s.pauses.set(subscriptionID, d) {
		s.waker.wakeHere()
	}
	return nil
}

// set begins a pause in place of an earlier one. It reports whether the subscription may be claimed from sooner than before.
func (p *pauses) set(id string, d time.Duration) (sooner bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	was, paused := p.until[id]
	if d <= 0 {
		delete(p.until, id)
		return paused
	}
	if p.until == nil {
		p.until = make(map[string]time.Time)
	}
	p.until[id] = time.Now().Add(d)
	return paused && p.until[id].Before(was)
}

// list returns those that are paused, and forgets whose pause is over.
func (p *pauses) list() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := time.Now()
	ids := make([]string, 0, len(p.until))
	for id, until := range p.until {
		if until.After(now) {
			ids = append(ids, plain(id))
		} else {
			delete(p.until, id)
		}
	}
	return ids
}

// left returns how long the pause of a subscription still lasts; zero when there is none.
func (p *pauses) left(id string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	return max(time.Until(p.until[id]), 0)
}

// readWait reads when something of each paused subscription could be claimed but for the pause, and something of the others,
// and returns how long it is until the first can be.
func (p *pauses) readWait(rows pgx.Rows) (wait time.Duration, err error) {
	wait = store.NoneDue
	var id string
	var us *int64
	_, err = pgx.ForEachRow(rows, []any{&id, &us}, func() error {
		if us != nil {
			wait = min(wait, max(fromMicros(*us), p.left(id)))
		}
		return nil
	})
	return wait, err
}

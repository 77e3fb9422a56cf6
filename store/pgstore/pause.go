package pgstore

import (
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
)

// pauses are the subscriptions that this replica does not claim deliveries of for a time, by its own clock. The zero value is none.
type pauses struct {
	mu    sync.Mutex // guards until
	until map[string]time.Time
}

// set takes in the pauses of a request, each in place of an earlier one.
func (p *pauses) set(pauses []store.Pause) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, pause := range pauses {
		if pause.For == 0 {
			delete(p.until, pause.SubscriptionID)
			continue
		}
		if p.until == nil {
			p.until = make(map[string]time.Time)
		}
		p.until[pause.SubscriptionID] = time.Now().Add(pause.For)
	}
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

package pgstore

import (
	"context"
	"sync"
)

// abandoned are the claim calls that failed and may have leased something all the same, because the connection was lost
// before the answer came. The next call gives back what they have, so that it need not run out.
type abandoned struct {
	mu    sync.Mutex // guards bases
	bases []int64    // what their tokens begin with
}

// maxAbandoned is how many are kept, the last ones, while the server does not answer. What older ones have will run out.
const maxAbandoned = 1000

func (a *abandoned) add(bases ...int64) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.bases = append(a.bases, bases...)
	a.bases = a.bases[max(0, len(a.bases)-maxAbandoned):]
}

// take returns them, once.
func (a *abandoned) take() []int64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	bases := a.bases
	a.bases = nil
	return bases
}

// giveBack gives back what abandoned calls may have, when no other call of Claim will.
func (s *Store) giveBack() {
	bases := s.abandoned.take()
	if len(bases) == 0 {
		return
	}
	err := s.transactWithin(context.Background(), 0, giveBackTimeout, beginWrite, claimSettings, func(b *batch) {
		b.Queue(s.sql.abandon, bases)
	})
	if err != nil {
		s.log.trouble("giving back what was claimed; it waits until the leases run out", err)
	}
}

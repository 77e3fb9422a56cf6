package boltstore

import (
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

// Pause implements [store.Queue].
func (s *Store) Pause(ctx context.Context, subscriptionID string, d time.Duration) error {
	err := store.ValidatePause(d)
	if err == nil {
		err = s.check(ctx)
	}
	num := uint64(0)
	if err == nil {
		err = s.read(func(t *txn) (err error) {
			num, err = t.number(subIDs, []byte(subscriptionID))
			return err
		})
	}
	if err != nil {
		return fmt.Errorf("boltstore: pause: %w", err)
	}
	if num != 0 {
		s.pause(num, d)
	}
	return nil
}

func (s *Store) pause(num uint64, d time.Duration) {
	now := s.now()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pauses.expire(now)
	until := int64(0)
	if d > 0 {
		until = after(now, d)
	}
	before := s.pauses.until(num)
	s.pauses.set(num, until)
	if q := s.queues[num]; q != nil {
		q.paused = until
		s.settle(q, now)
	}
	if until < before {
		s.wakeReader()
	}
}

// pauses are the subscriptions that nothing is claimed of for a while. They are kept apart from the queues because one
// may begin while nothing is pending.
type pauses struct {
	byNum map[uint64]*pause
	ends  timeHeap[*pause]
}

type pause struct {
	num uint64
	end int64
	pos int
}

func (p *pause) time() int64    { return p.end }
func (p *pause) position() *int { return &p.pos }

// until returns when the pause of a subscription ends; 0 when it has none.
func (ps *pauses) until(num uint64) int64 {
	if p := ps.byNum[num]; p != nil {
		return p.end
	}
	return 0
}

// set makes the pause of a subscription end at a time; 0 ends it.
func (ps *pauses) set(num uint64, end int64) {
	p := ps.byNum[num]
	switch {
	case end == 0 && p != nil:
		ps.ends.drop(p)
		delete(ps.byNum, num)
	case end == 0:
	case p != nil:
		p.end = end
		ps.ends.set(p)
	default:
		if ps.byNum == nil {
			ps.byNum = make(map[uint64]*pause)
		}
		p = &pause{num: num, end: end}
		ps.byNum[num] = p
		ps.ends.set(p)
	}
}

// expire forgets the pauses that are over.
func (ps *pauses) expire(now int64) {
	for {
		p, ok := ps.ends.first()
		if !ok || p.end > now {
			return
		}
		ps.set(p.num, 0)
	}
}

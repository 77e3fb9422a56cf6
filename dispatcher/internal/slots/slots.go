// Package slots bounds how many calls of one name, such as a tenant's, run at once. So the slow
// calls of one name do not hold up those of another.
//
// A name costs memory while it has a call that runs or waits, and nothing afterwards.
package slots

import (
	"context"
	"sync"

	"golang.org/x/sync/semaphore"
)

// Slots are the same number for each name. Make them with New. They are safe for concurrent use.
type Slots struct {
	each int64

	mu sync.Mutex
	of map[string]*slots // of the names with a call that runs or waits
}

type slots struct {
	free  *semaphore.Weighted
	users int // calls that run or wait
}

// New returns so many slots for each name.
func New(each int) *Slots { return &Slots{each: int64(each), of: make(map[string]*slots)} }

// Enter waits until a call for the name may begin; those that wait get their turns in their order.
// When the call is over, leave is to be called, once. The error is that of the context.
func (s *Slots) Enter(ctx context.Context, name string) (leave func(), err error) {
	of := s.join(name)
	if err := of.free.Acquire(ctx, 1); err != nil {
		s.part(name)
		return nil, err
	}
	return func() {
		of.free.Release(1)
		s.part(name)
	}, nil
}

// TryEnter is Enter for a call that does not wait: leave is nil if it may not begin now.
func (s *Slots) TryEnter(name string) (leave func()) {
	of := s.join(name)
	if !of.free.TryAcquire(1) {
		s.part(name)
		return nil
	}
	return func() {
		of.free.Release(1)
		s.part(name)
	}
}

func (s *Slots) join(name string) *slots {
	s.mu.Lock()
	defer s.mu.Unlock()
	of := s.of[name]
	if of == nil {
		of = &slots{free: semaphore.NewWeighted(s.each)}
		s.of[name] = of
	}
	of.users++
	return of
}

// part forgets the name when nobody uses or waits for its slots any more.
func (s *Slots) part(name string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if of := s.of[name]; of.users > 1 {
		of.users--
	} else {
		delete(s.of, name)
	}
}

// Len returns how many names have a call that runs or waits.
func (s *Slots) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.of)
}

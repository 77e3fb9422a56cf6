package signing

import (
	"context"
	"sync"
	"time"
)

// The defaults of MemorySeen.
const (
	// DefaultMaxSeen is about 20 MB of ids.
	DefaultMaxSeen = 100_000

	// DefaultKeepSeen is longer than outhook tries to deliver an event by default, which is about
	// two and a half days, and than its five days until it disables an endpoint.
	DefaultKeepSeen = 7 * 24 * time.Hour
)

// MemorySeen is a Seen that a restart forgets. The zero value is ready to use. It is safe for
// concurrent use; its fields must not change after the first call.
type MemorySeen struct {
	// Max is how many ids are remembered; then the oldest is forgotten for each that comes. If not
	// positive, DefaultMaxSeen.
	Max int

	// Keep is how long an id is remembered. Give more time than the sender goes on trying. If not
	// positive, DefaultKeepSeen.
	Keep time.Duration

	mu    sync.Mutex
	at    map[string]time.Time // when each id was added
	queue []string             // the ids in the order in which they were added, from head on
	head  int
}

// Has reports whether the id is remembered. It returns no error.
func (m *MemorySeen) Has(_ context.Context, id string) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	at, ok := m.at[id]
	return ok && time.Since(at) < m.keep(), nil
}

// Add remembers an id, from the first call on. It returns no error.
func (m *MemorySeen) Add(_ context.Context, id string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	for len(m.at) > 0 && time.Since(m.at[m.queue[m.head]]) >= m.keep() {
		m.forgetOldest()
	}
	if _, ok := m.at[id]; ok {
		return nil
	}
	if m.at == nil {
		m.at = make(map[string]time.Time)
	}
	if len(m.at) >= m.max() {
		m.forgetOldest()
	}
	m.at[id] = time.Now()
	m.queue = append(m.queue, id)
	return nil
}

// forgetOldest forgets one id; there must be one. The space in the queue is used again once half of
// it is free, so that forgetting takes constant time on average, and the queue is at most twice as
// long as what is remembered.
func (m *MemorySeen) forgetOldest() {
	delete(m.at, m.queue[m.head])
	m.queue[m.head] = ""
	m.head++
	if m.head*2 >= len(m.queue) {
		n := copy(m.queue, m.queue[m.head:])
		clear(m.queue[n:])
		m.queue, m.head = m.queue[:n], 0
	}
}

func (m *MemorySeen) max() int {
	if m.Max > 0 {
		return m.Max
	}
	return DefaultMaxSeen
}

func (m *MemorySeen) keep() time.Duration {
	if m.Keep > 0 {
		return m.Keep
	}
	return DefaultKeepSeen
}

package pgstore

import (
	"time"

	"github.com/outhook/outhook/store"
)

// Statement is one of the store's statements, as it is sent.
type Statement struct{ Settings, SQL string }

// HotStatements returns those that run for each batch of deliveries.
func (s *Store) HotStatements() map[string]Statement {
	return map[string]Statement{
		"enqueue": {enqueueSettings, s.sql.enqueue},
		"intake":  {claimSettings, s.sql.intake},
		"claim":   {claimSettings, s.sql.claim},
		"wait":    {claimSettings, s.sql.wait},
		"paused":  {claimSettings, s.sql.pausedWait},
		"claims":  {claimSettings, s.sql.claims},
		"finish":  {finishSettings, s.sql.finish},
	}
}

// EnqueueArgs returns the arguments of the enqueue statement.
var (
	EnqueueArgs = enqueueArgs
	Build       = build
	FinishArgs  = finishArgs
)

// PruneLock is the key of the advisory lock that whoever prunes holds.
func (s *Store) PruneLock() int64 { return s.lockKey("prune") }

// What parses what was stored or comes from outside.
var (
	AttemptLine = attemptLine
	ParseLog    = parseLog
)

// SameCursor parses a cursor and writes it again.
func SameCursor(text string) (string, error) {
	c, err := parseCursor(text)
	if err != nil || !c.set {
		return "", err
	}
	return c.String(), nil
}

// MaxTallied is how many slots stay in memory once they are written.
const MaxTallied = maxTallied

// KeepTallies has nothing written but by FlushTallies, and by Close. It is called before anything is counted.
func (s *Store) KeepTallies() { s.tallies.every = time.Hour }

// FlushTallies writes what was counted.
func (s *Store) FlushTallies() { s.flushTallies() }

// Count counts an outcome in a slot, in memory.
func (s *Store) Count(sub, slot int64, o store.Outcome) {
	s.tallies.add([]store.Outcome{o}, []counted{{1, tallied{sub, slot}}})
}

// Tallied returns how many slots are in memory.
func (s *Store) Tallied() int {
	s.tallies.mu.Lock()
	defer s.tallies.mu.Unlock()
	return len(s.tallies.slots)
}

// ForgetTallies forgets what is in memory.
func (s *Store) ForgetTallies() {
	s.tallies.mu.Lock()
	defer s.tallies.mu.Unlock()
	clear(s.tallies.slots)
	s.tallies.fresh, s.tallies.writer = 0, s.tallies.writer+1
}

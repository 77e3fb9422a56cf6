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

// StatementTimeout bounds a transaction.
const StatementTimeout = statementTimeout

// Waiting returns how many calls of Enqueue wait for their turn.
func (s *Store) Waiting() int {
	s.enqueues.mu.Lock()
	defer s.enqueues.mu.Unlock()
	return s.enqueues.waiting.Len()
}

// SetClaimTime sets after what time a Claim begins no further round.
func (s *Store) SetClaimTime(d time.Duration) { s.claimTime = d }

// Claimed returns how many numbers of claims were given out: one for each round of a Claim.
func (s *Store) Claimed() int64 {
	s.tokens.mu.Lock()
	defer s.tokens.mu.Unlock()
	return s.tokens.next
}

// Micros is a duration as PostgreSQL gets it, and FromMicros the opposite.
var (
	Micros     = micros
	FromMicros = fromMicros
)

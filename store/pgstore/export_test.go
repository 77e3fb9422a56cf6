package pgstore

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
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

// MaxCounts is how many buckets of counts stay in memory once they are written.
const MaxCounts = maxCounts

// KeepCounts has nothing written but by FlushCounts, and by Close. What is in memory is forgotten.
func (s *Store) KeepCounts() { s.counts = rollup.NewBuffer(rollup.Options{MaxKept: maxCounts}) }

// FlushCounts writes what was counted.
func (s *Store) FlushCounts() { s.flushCounts() }

// Count counts an outcome in a bucket, in memory.
func (s *Store) Count(sub, at int64, o store.Outcome) {
	s.countAttempts([]store.Outcome{o}, []counted{{1, rollup.Key{Sub: uint64(sub), At: at}}})
}

// Counts returns how many buckets of counts are in memory.
func (s *Store) Counts() int {
	n, _ := s.counts.Len()
	return n
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

package pgstore

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
)

// Statement is one of the store's statements, as it is sent.
type Statement struct{ Settings, SQL string }

// HotStatements returns those that run for each batch of deliveries.
func (s *Store) HotStatements() map[string]Statement {
	return map[string]Statement{
		"enqueue": {enqueueSettings, s.sql.Enqueue},
		"claim":   {indexSettings, s.sql.Claim},
		"noticed": {indexSettings, s.sql.Noticed},
		"windows": {indexSettings, s.sql.Windows},
		"finish":  {finishSettings, s.sql.Finish},
	}
}

// EnqueueArgs returns the arguments of the enqueue statement.
var (
	EnqueueArgs = enqueueArgs
	Build       = build
)

// PruneLock is the key of the advisory lock that whoever prunes holds.
func (s *Store) PruneLock() int64 { return s.lockKey("prune") }

// What parses what was stored or comes from outside.
var (
	AppendAttempt = appendAttempt
	AppendAnswer  = appendAnswer
	ParseLog      = parseLog
)

// MaxCounts is how many buckets of counts stay in memory once they are written.
const MaxCounts = maxCounts

// KeepCounts has nothing written but by FlushCounts, and by Close. What is in memory is forgotten.
func (s *Store) KeepCounts() { s.counts = rollup.NewBuffer(rollup.Options{MaxKept: maxCounts}) }

// FlushCounts writes what was counted.
func (s *Store) FlushCounts() { s.flushCounts() }

// Count counts an outcome in a bucket, in memory.
func (s *Store) Count(sub, at int64, o store.Outcome) {
	s.counts.Add(rollup.Key{Sub: uint64(sub), At: at}, &o.Attempt, o.State == store.Delivered)
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

// Owned returns how many shares the replica has, and may claim of.
func (s *Store) Owned() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.held(shareOwned))
}

// Lows returns the lowest and the highest of the low marks as the replica would write them now.
func (s *Store) Lows() (low, high uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	lows := s.lows()
	low = lows[0]
	for _, n := range lows {
		low, high = min(low, n), max(high, n)
	}
	return low, high
}

// SetRowless sets how much may be pending without a row.
func (s *Store) SetRowless(most int, lag uint64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.memory.maxRowless, s.memory.maxLag = most, lag
}

// Spill gives rows to what has stayed behind, as is done every second.
func (s *Store) Spill(ctx context.Context) error { return s.spill(ctx) }

// Renew renews the replica's lease, as is done every second, and raises its low marks however
// lately that was done.
func (s *Store) Renew(ctx context.Context) error {
	s.owner.tick <- struct{}{}
	s.owner.lows = time.Time{}
	<-s.owner.tick
	return s.renew(ctx)
}

// Rowless returns how many deliveries are pending without a row, as far as memory knows.
func (s *Store) Rowless() (n int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.schedule.Subs(func(q *queue) {
		live, _ := q.ImplicitPending()
		n += live
	})
	return n
}

// Deal says which replica each share belongs to.
var Deal = deal

// ReplicaLease is how long a replica's shares are its own without being renewed.
const ReplicaLease = replicaLease

// Micros is a duration as PostgreSQL gets it.
var Micros = micros

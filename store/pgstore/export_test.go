package pgstore

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/counts"
	"github.com/outhook/outhook/store/pgstore/internal/history"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/outcomes"
	"github.com/outhook/outhook/store/pgstore/internal/publish"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// Statement is one of the store's statements, as it is sent.
type Statement struct{ Settings, SQL string }

// HotStatements returns those that run for each batch of deliveries, and those that count.
func (s *Store) HotStatements() map[string]Statement {
	sql := s.replica.SQL
	return map[string]Statement{
		"enqueue": {sqltx.Impatient, sql.Enqueue},
		"claim":   {sqltx.Frequent, sql.Claim},
		"noticed": {sqltx.Frequent, sql.Noticed},
		"windows": {sqltx.Frequent, sql.Windows},
		"newest":  {sqltx.Frequent, sql.Newest},
		"pending": {sqltx.ByIndex, sql.Pending},
		"quota":   {sqltx.ByIndex, sql.CountPending},
		"finish":  {sqltx.Local, sql.Finish},
	}
}

// ListingStatement returns the statement that reads the first page of a query, and its arguments.
func (s *Store) ListingStatement(q *store.DeliveryQuery) (Statement, []any) {
	text, args := s.history.PageStatement(q, false)
	return Statement{sqltx.ByIndex, text}, args
}

// ReplayStatement returns the statement that reads the first step of a Requeue, and its arguments.
func (s *Store) ReplayStatement(q *store.DeliveryQuery) (Statement, []any) {
	text, args := s.history.PageStatement(q, true)
	return Statement{sqltx.ByIndex, text}, args
}

// EnqueueArgs returns the arguments of the enqueue statement.
var (
	EnqueueArgs = publish.Args
	Build       = publish.Build
)

// PruneLock is the key of the advisory lock that is held over a step of Prune.
func (s *Store) PruneLock() int64 { return s.history.PruneLock() }

// NextPrune returns the statement of the next step of Prune, and its arguments.
func (s *Store) NextPrune(r store.Retention) (Statement, []any) {
	return Statement{sqltx.ByIndex, s.replica.SQL.Prune}, s.history.PruneArgs(r)
}

// PurgeStatements returns those of the steps of Prune that go through what was unsubscribed or
// deleted. Each has one argument, how many rows it may take.
func (s *Store) PurgeStatements() map[string]Statement {
	return map[string]Statement{
		"canceled": {sqltx.ByIndex, s.replica.SQL.PurgeCanceled},
		"deleted":  {sqltx.ByIndex, s.replica.SQL.PurgeDeleted},
	}
}

// MaxCounts is how many buckets of counts stay in memory once they are written.
const MaxCounts = counts.MaxKept

// KeepCounts has nothing written but by FlushCounts, and by Close. What is in memory is forgotten.
func (s *Store) KeepCounts() {
	s.counts = counts.New(s.replica, true)
	s.recorder = outcomes.New(s.replica, s.counts, outcomes.Apart)
	s.history = history.New(s.replica, s.counts)
}

// FlushCounts writes what was counted.
func (s *Store) FlushCounts() { s.counts.Flush() }

// Count counts an outcome of a time, in memory.
func (s *Store) Count(sub int64, at time.Time, o store.Outcome) {
	s.counts.Add(uint64(sub), at.UnixNano(), &o.Attempt, o.State == store.Delivered)
}

// Counts returns how many buckets of counts are in memory.
func (s *Store) Counts() int { return s.counts.Len() }

// KeepOutcomesApart has transactions with outcomes that nothing waits for begin so long apart.
func (s *Store) KeepOutcomesApart(d time.Duration) {
	s.recorder = outcomes.New(s.replica, s.counts, d)
}

// OutcomesWaiting returns how many calls of Finish wait for their turn.
func (s *Store) OutcomesWaiting() int { return s.recorder.Waiting() }

// StatementTimeout bounds a transaction.
const StatementTimeout = sqltx.StatementTimeout

// Waiting returns how many calls of Enqueue wait for their turn.
func (s *Store) Waiting() int { return s.publisher.Waiting() }

// Alone returns how many calls of Enqueue have a transaction of their own.
func (s *Store) Alone() int { return s.publisher.Alone() }

// Owned returns how many shares the replica has, and may claim of.
func (s *Store) Owned() int {
	s.replica.Memory.Lock()
	defer s.replica.Memory.Unlock()
	return len(s.replica.Memory.In(memory.Owned))
}

// SetRowless sets how much may be pending without a row.
func (s *Store) SetRowless(most int, lag uint64) {
	s.replica.Memory.Lock()
	defer s.replica.Memory.Unlock()
	s.replica.Memory.SetLimits(most, lag)
}

// Spill gives rows to what has stayed behind, as is done every second.
func (s *Store) Spill(ctx context.Context) error { return s.replica.Spill(ctx) }

// Renew renews the replica's lease, as is done every second, and raises its low marks however
// lately that was done.
func (s *Store) Renew(ctx context.Context) error {
	s.ownership.RaiseLows()
	return s.ownership.Renew(ctx)
}

// Rowless returns how many deliveries are pending without a row, as far as memory knows.
func (s *Store) Rowless() int {
	s.replica.Memory.Lock()
	defer s.replica.Memory.Unlock()
	n, _ := s.replica.Memory.Rowless()
	return n
}

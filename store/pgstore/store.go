package pgstore

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store"
)

var _ store.Store = (*Store)(nil)

// Store is a [store.Store] in a PostgreSQL database. Make one with [Open] or [New]. It is safe for concurrent use, and so
// are any number of them on one database.
type Store struct {
	o       Options
	pool    *pgxpool.Pool
	ownPool bool
	sql     *statements
	log     logger

	checked   atomic.Bool // the schema and the durability of the server were
	tokens    tokens
	abandoned abandoned
	ending    ending
	waker     waker
	pauses    pauses
	tallies   tallies

	enqueues *joined[newEvent, struct{}]
	finishes *joined[store.Outcome, store.Result]

	life       context.Context // ends with Close
	end        context.CancelFunc
	background sync.WaitGroup
}

// Open connects to the database that the URL (or key=value string; see pgxpool.ParseConfig) names, brings its schema up to
// date, and returns a store on it. Close ends its connections.
//
// It returns an error when the server has fsync or synchronous_commit off, unless Options.Unsafe.
func Open(ctx context.Context, url string, o *Options) (*Store, error) {
	pool, err := pgxpool.New(ctx, url)
	if err != nil {
		return nil, fmt.Errorf("pgstore: open: %w", err)
	}
	s, err := New(pool, o)
	if err != nil {
		pool.Close()
		return nil, err
	}
	s.ownPool = true
	if err := s.Migrate(ctx); err != nil {
		_ = s.Close() // the first error is the one that matters
		return nil, err
	}
	return s, nil
}

// New returns a store on the host's pool, which Close leaves open. Nothing is sent to the database yet; the first call that
// finds its schema out of date says so: see Migrate.
func New(pool *pgxpool.Pool, o *Options) (*Store, error) {
	if pool == nil {
		return nil, errors.New("pgstore: New needs a pool, such as pgxpool.New returns")
	}
	opts := o.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	s := &Store{o: opts, pool: pool, sql: newStatements(opts.Schema), log: logger{opts.Logger}, tallies: newTallies()}
	s.life, s.end = context.WithCancel(context.Background())
	s.waker.ready = make(chan struct{}, 1)
	s.waker.tell = make(chan struct{}, 1)
	s.enqueues = newJoined(enqueuers, s.enqueueJoined)
	s.finishes = newJoined(finishers, s.finishJoined)
	return s, nil
}

// Close ends the use of the store: after it, every method returns [store.ErrClosed]. What is under way is let finish. It
// returns nil, also when it is called again.
func (s *Store) Close() error {
	defer s.waker.wakeHere() // who waits for work learns that there is none any more
	s.end()
	s.enqueues.close()
	s.finishes.close()
	s.background.Wait()
	s.flushTallies()
	if s.ownPool {
		s.pool.Close()
	}
	return nil
}

// begin starts a method: it finds out whether it may go on.
func (s *Store) begin(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.life.Err() != nil {
		return store.ErrClosed
	}
	if s.checked.Load() {
		return nil
	}
	if err := s.check(ctx, s.pool); err != nil {
		return err
	}
	s.checked.Store(true)
	return nil
}

// statementTimeout is how long a transaction may take that nobody's context bounds.
const statementTimeout = 30 * time.Second

// write runs the statements in one round trip and one transaction, which is not interrupted when ctx ends once it has begun:
// it is short, and cutting it off would leave a broken connection and an unknown effect.
func (s *Store) write(ctx context.Context, fill func(*pgx.Batch)) error {
	conn, err := s.pool.Acquire(ctx)
	if err != nil {
		return err
	}
	defer conn.Release()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), statementTimeout)
	defer cancel()
	var b pgx.Batch
	fill(&b)
	return conn.SendBatch(ctx, &b).Close()
}

// logger says what goes wrong in the background.
type logger struct {
	to interface{ Warn(string, ...any) }
}

func (l logger) trouble(what string, err error) { l.to.Warn("pgstore: "+what, "error", err) }

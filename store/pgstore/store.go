package pgstore

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
)

var _ store.Store = (*Store)(nil)

// Store is a [store.Store] in a PostgreSQL database. Make one with [Open] or [New]. It is safe for
// concurrent use, and so are any number of them on one database.
type Store struct {
	o       Options
	pool    *pgxpool.Pool
	ownPool bool
	sql     *statements
	log     logger

	checked atomic.Bool // the schema and the durability of the server were
	owner   ownership
	clock   clock
	waker   waker
	counts  *rollup.Buffer

	enqueues *joined[newEvent, struct{}]
	alone    chan struct{} // who stores events alone has a slot
	finishes *joined[*outcome, store.Result]
	claiming chan struct{} // has one slot, for the Claim that goes on

	// keyed is held by who ends deliveries or puts them behind others of their key: or else one is
	// put behind a delivery that has ended meanwhile, and waits for ever. It is held over
	// transactions, and taken before mu.
	keyed sync.Mutex

	// lowering is held by who raises low marks in the database, and by who takes in what may be new
	// below them. It is taken after keyed and before mu.
	lowering sync.Mutex

	mu     sync.Mutex // guards memory; never held over a call of the server's
	memory            // what is pending and leased of this replica's shares

	life       context.Context // ends with Close
	end        context.CancelFunc
	cut        context.Context // ends some time later, when nothing is waited for any more
	cutOff     context.CancelFunc
	background sync.WaitGroup
}

// Open connects to the database that the URL (or key=value string; see pgxpool.ParseConfig) names,
// brings its schema up to date, and returns a store on it. Close ends its connections.
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

// New returns a store on the host's pool, which Close leaves open. Nothing is sent to the database
// yet; the first call that finds its schema out of date says so: see Migrate.
func New(pool *pgxpool.Pool, o *Options) (*Store, error) {
	if pool == nil {
		return nil, errors.New("pgstore: New needs a pool, such as pgxpool.New returns")
	}
	if err := checkExecMode(pool); err != nil {
		return nil, err
	}
	opts := o.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	s := &Store{o: opts, pool: pool, sql: newStatements(opts.Schema), log: logger{opts.Logger},
		memory: newMemory(), claiming: make(chan struct{}, 1)}
	s.owner.id = rand.Int64N(math.MaxInt64) + 1
	s.owner.now, s.owner.tick = make(chan struct{}, 1), make(chan struct{}, 1)
	s.counts = s.newCounts()
	s.life, s.end = context.WithCancel(context.Background())
	s.cut, s.cutOff = context.WithCancel(context.Background())
	s.alone = make(chan struct{}, aloneAtOnce)
	s.waker.ready = make(chan struct{}, 1)
	s.waker.tell = make(chan struct{}, 1)
	s.waker.told = make(chan struct{}, 1)
	s.enqueues = newJoined(enqueuers, s.enqueueJoined)
	s.finishes = newJoined(finishers, s.finishJoined)
	return s, nil
}

// Close ends the use of the store: after it, every method returns [store.ErrClosed]. What is under
// way has 5 s to finish; Close takes at most 30 s, when the server does not answer. It returns nil,
// also when it is called again.
func (s *Store) Close() error {
	defer s.waker.wakeHere() // who waits for work learns that there is none any more
	s.end()
	time.AfterFunc(afterClose, s.cutOff)
	s.enqueues.close()
	s.finishes.close()
	s.background.Wait()
	s.counts.Stop()
	s.flushCounts()
	if err := s.leave(context.Background()); err != nil {
		s.log.trouble("giving up the replica's shares; another takes them when its lease has run out", err)
	}
	if s.ownPool {
		s.pool.Close()
	}
	return nil
}

// begin starts a method: it finds out whether it may go on.
func (s *Store) begin(ctx context.Context) error { return s.beginOn(ctx, s.pool) }

// beginOn is begin for a method that has a connection already: another may never come.
func (s *Store) beginOn(ctx context.Context, q querier) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.life.Err() != nil {
		return store.ErrClosed
	}
	if s.checked.Load() {
		return nil
	}
	bounded, cancel := s.bound(ctx, 0, statementTimeout)
	defer cancel()
	if err := s.check(bounded, q); err != nil {
		if cause := context.Cause(bounded); cause != nil {
			return cause
		}
		return err
	}
	s.checked.Store(true)
	return nil
}

// logger says what goes wrong in the background.
type logger struct {
	to interface{ Warn(string, ...any) }
}

func (l logger) trouble(what string, err error) { l.to.Warn("pgstore: "+what, "error", err) }

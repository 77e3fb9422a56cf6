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
	"github.com/outhook/outhook/store/internal/page"
	"github.com/outhook/outhook/store/pgstore/internal/catalogue"
	"github.com/outhook/outhook/store/pgstore/internal/claims"
	"github.com/outhook/outhook/store/pgstore/internal/counts"
	"github.com/outhook/outhook/store/pgstore/internal/history"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/notify"
	"github.com/outhook/outhook/store/pgstore/internal/outcomes"
	"github.com/outhook/outhook/store/pgstore/internal/ownership"
	"github.com/outhook/outhook/store/pgstore/internal/publish"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/schema"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
	"github.com/outhook/outhook/store/pgstore/internal/tenants"
)

var _ store.Store = (*Store)(nil)

// Store is a [store.Store] in a PostgreSQL database. Make one with [Open] or [New]. It is safe for
// concurrent use, and so are any number of them on one database.
type Store struct {
	o       Options
	pool    *pgxpool.Pool
	ownPool bool

	checked   atomic.Bool                 // the schema and the durability of the server were
	cursors   atomic.Pointer[page.Sealer] // of listings, as callers have them; set by then
	listening sync.Once                   // starts what learns of other replicas' changes

	replica   *replica.Replica
	ownership *ownership.Ownership
	catalogue *catalogue.Catalogue
	publisher *publish.Publisher
	claims    *claims.Claims
	recorder  *outcomes.Recorder
	counts    *counts.Counts
	history   *history.History
	tenants   *tenants.Tenants

	end    context.CancelFunc // of replica.Life
	cutOff func()             // ends replica.Cut
}

// Open connects to the database that the URL (or key=value string; see pgxpool.ParseConfig) names,
// brings its schema up to date, and returns a store on it. Close ends its connections.
//
// It returns an error if the server has fsync or synchronous_commit off, unless Options.Unsafe.
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
	opts := o.withDefaults()
	if err := opts.validate(); err != nil {
		return nil, err
	}
	s := &Store{o: opts, pool: pool}
	if err := s.makeReplica(); err != nil {
		return nil, fmt.Errorf("pgstore: %w", err)
	}
	r := s.replica
	// Who polls slowly has not left because it has not claimed for the length of some polls.
	s.ownership = ownership.New(r, max(ownership.IdleAfter, 3*opts.PollInterval))
	s.counts = counts.New(r, false)
	s.catalogue = &catalogue.Catalogue{Replica: r}
	s.publisher = publish.New(r, opts.PollOnly)
	s.claims = claims.New(r, s.ownership)
	s.recorder = outcomes.New(r, s.counts, outcomes.Apart)
	s.history = history.New(r, s.counts)
	s.tenants = &tenants.Tenants{Replica: r}
	return s, nil
}

// makeReplica makes what the rooms share.
func (s *Store) makeReplica() error {
	life, end := context.WithCancel(context.Background())
	cut, cutOff := context.WithCancelCause(context.Background())
	s.end, s.cutOff = end, func() { cutOff(store.ErrClosed) }
	db, err := sqltx.New(s.pool, cut)
	if err != nil {
		return err
	}
	name := schema.Name(s.o.Schema)
	notifier := notify.New(db, s.pool, name, s.warn)
	s.replica = &replica.Replica{
		ID: rand.Int64N(math.MaxInt64) + 1, // 0 stands for nobody
		DB: db, Schema: name, SQL: name.Statements(),
		Memory: memory.New(notifier.Wake), Notify: notifier, Log: s.warn,
		Life: life, Cut: cut,
	}
	return nil
}

// warn says what goes wrong in the background.
func (s *Store) warn(what string, err error) { s.o.Logger.Warn("pgstore: "+what, "error", err) }

// closeGrace is how much longer a transaction may take once the store is closed.
const closeGrace = 5 * time.Second

// Close ends the use of the store: after it, every method returns [store.ErrClosed]. What is under
// way has 5 s to finish; Close takes at most 30 s, if the server does not answer. It returns nil,
// also if it is called again.
func (s *Store) Close() error {
	defer s.replica.Notify.Wake() // who waits for work learns that there will be none
	s.end()
	time.AfterFunc(closeGrace, s.cutOff)
	// Writers first, and what runs in the background: the shares are given up once nothing of this
	// replica changes them any more.
	s.publisher.Close()
	s.recorder.Close()
	s.replica.Background.Wait()
	s.counts.Close()
	if err := s.ownership.Leave(context.Background()); err != nil {
		s.warn("giving up the replica's shares; another takes them when its lease has run out", err)
	}
	if s.ownPool {
		s.pool.Close()
	}
	return nil
}

// begin starts a method: it finds out whether it may go on.
func (s *Store) begin(ctx context.Context) error { return s.beginOn(ctx, s.pool) }

// beginOn is begin for a method that has a connection already: another may never come, if the
// pool's are all in use by who waits here.
func (s *Store) beginOn(ctx context.Context, q schema.Querier) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if s.replica.Life.Err() != nil {
		return store.ErrClosed
	}
	if s.checked.Load() {
		return nil
	}
	bounded, cancel := s.replica.DB.Bound(ctx, sqltx.Bounds{Limit: sqltx.StatementTimeout})
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

// check finds out whether the store can work on the database.
func (s *Store) check(ctx context.Context, q schema.Querier) error {
	if err := s.checkDurable(ctx, q); err != nil {
		return err
	}
	if err := s.replica.Schema.CheckVersion(ctx, q); err != nil {
		return err
	}
	key, err := s.replica.Schema.CursorKey(ctx, q)
	if err == nil {
		s.cursors.Store(page.NewSealer(key))
	}
	return err
}

func (s *Store) checkDurable(ctx context.Context, q schema.Querier) error {
	if s.o.Unsafe {
		return nil
	}
	return schema.CheckDurable(ctx, q)
}

// call runs a method of the contract: unless its arguments are invalid, and if the store can be
// used. With an error it returns the zero value.
func call[T any](
	ctx context.Context, s *Store, method string, invalid error, do func() (T, error),
) (result T, err error) {
	err = invalid
	if err == nil {
		err = s.begin(ctx)
	}
	if err == nil {
		result, err = do()
	}
	if err != nil {
		var zero T
		return zero, storeError(method, err)
	}
	return result, nil
}

// run is call for a method that returns nothing.
func (s *Store) run(ctx context.Context, method string, do func() error) error {
	_, err := call(ctx, s, method, nil, func() (struct{}, error) { return struct{}{}, do() })
	return err
}

package ownership

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

const (
	// IdleAfter is how long a replica may not have claimed before it gives up its shares.
	IdleAfter = 15 * time.Second

	// lowsEvery is how often low marks are raised, or earlier if one would rise by lowsStep. Each
	// time leaves dead rows, which publishers read past for as long as some transaction keeps the
	// server from vacuuming; in between, a new owner has more to read.
	lowsEvery = 10 * time.Second
	lowsStep  = 20_000 // events

	renewTimeout = 10 * time.Second // of one transaction here

	// leaveTimeout is as long as a lease: when it is over the shares are free in any case.
	leaveTimeout = LeaseTime
)

// Ownership is a replica's part in dealing shares. Make one with [New]. It is safe for concurrent
// use.
type Ownership struct {
	*replica.Replica
	idleAfter time.Duration

	lease lease
	once  sync.Once // starts what renews

	tick  chan struct{} // one slot, for who renews or leaves; guards what follows
	alive bool          // the replica has a row in the database, as far as is known
	lows  time.Time     // when low marks were raised last
	// server is when the server was started that memory agrees with. Another one may have lost the
	// last of what was written, so no low mark rises there until memory agrees with it too.
	server time.Time
}

// New returns the part of a replica that owns nothing yet. idleAfter is usually [IdleAfter].
// Nothing runs until Join.
func New(r *replica.Replica, idleAfter time.Duration) *Ownership {
	return &Ownership{Replica: r, idleAfter: idleAfter, tick: make(chan struct{}, 1)}
}

// IsValid reports whether the replica may hand out claims of its shares: its lease has not run out,
// and memory is not in doubt. Renew sees to both.
func (o *Ownership) IsValid() bool { return o.lease.isValid() && !o.inDoubt() }

func (o *Ownership) inDoubt() bool {
	o.Memory.Lock()
	defer o.Memory.Unlock()
	return o.Memory.Doubted()
}

// Join makes the replica take part, and notes that it claims. The first claim does not wait for the
// next tick: it renews, and has its shares when Join returns.
func (o *Ownership) Join(ctx context.Context) error {
	if o.lease.claim() {
		return nil
	}
	o.once.Do(func() { o.Background.Go(o.keep) })
	if err := o.Renew(ctx); err != nil {
		o.lease.leave() // the next claim tries again
		return err
	}
	return nil
}

// keep renews what the replica has, and takes what it should have, until Life ends.
func (o *Ownership) keep() {
	ticker := time.NewTicker(renewEvery)
	defer ticker.Stop()
	for {
		select {
		case <-o.Life.Done():
			return
		case <-ticker.C:
		// Another has given some up: not in a second, but now.
		case <-o.Notify.SharesFree():
		}
		// The next tick tries again. Until then the lease, as the replica knows it, says what it
		// may do.
		if err := o.keepOnce(); err != nil && o.Life.Err() == nil {
			o.Log("renewing the replica's lease", err)
		}
	}
}

// keepOnce renews, or leaves if nobody claims any more.
func (o *Ownership) keepOnce() error {
	joined, idle := o.lease.state()
	if !joined {
		return nil
	}
	// Outcomes of what is in flight would be late if the shares were given up.
	if idle > o.idleAfter && o.inFlight() == 0 {
		o.lease.leave()
		return o.Leave(o.Life)
	}
	if err := o.Renew(o.Life); err != nil {
		return err
	}
	// After the renewal, which must not be late: giving rows may take long.
	return o.Spill(o.Life)
}

// inFlight returns how many deliveries are leased here.
func (o *Ownership) inFlight() int {
	o.Memory.Lock()
	defer o.Memory.Unlock()
	return o.Memory.InFlight(0, o.Clock.Now())
}

// Renew prolongs the replica's lease, raises the low marks of its shares, brings memory in line
// with the database if that is needed, and takes, hands over and gives up shares as the replicas
// that live now require.
func (o *Ownership) Renew(ctx context.Context) error {
	select {
	case o.tick <- struct{}{}:
		defer func() { <-o.tick }()
	case <-ctx.Done():
		return ctx.Err()
	}
	// Before anything is sent: see lease.renewed.
	sent := time.Now()
	shares, replicas, started, err := o.prolong(ctx, sent)
	if err != nil {
		return err
	}
	o.alive = true
	o.lease.renewed(sent)
	if err := o.agree(ctx, started); err != nil {
		return err
	}
	// The transaction may have taken longer than the lease that it has prolonged. Others may be
	// taking the shares then; to give them up for that would only leave them to nobody.
	if !slices.Contains(replicas, o.ID) {
		replicas = append(replicas, o.ID)
	}
	// From the list of this transaction. Two replicas may see different ones for a moment, and then
	// deal differently; no share gets two owners by that, as one is taken only if no live replica
	// has it.
	owners := Deal(replicas)
	o.Memory.Lock()
	plan := o.Memory.Redeal(shares, &owners, o.ID, o.Clock.Now())
	o.Memory.Unlock()
	// Before it takes any, so that the others need not wait for what it does with those.
	if err := o.release(ctx, plan.Release); err != nil {
		return err
	}
	taken, err := o.acquire(ctx, plan.Acquire)
	if err != nil {
		return err
	}
	// Shares that were taken earlier and could not be read are read now, too.
	return o.load(ctx, append(plan.Load, taken...))
}

// RaiseLows has the next Renew raise the low marks however lately that was done. It is for tests
// and benchmarks, which can't wait for ten seconds.
func (o *Ownership) RaiseLows() {
	o.tick <- struct{}{}
	o.lows = time.Time{}
	<-o.tick
}

// prolong is the transaction of Renew. It returns who has which share, who lives, and when the
// server was started.
func (o *Ownership) prolong(
	ctx context.Context, sent time.Time,
) (shares []memory.Dealt, replicas []int64, started time.Time, err error) {
	// Lowering is held from before the low marks are computed until they are committed: what is
	// taken in between may be below them.
	o.Lowering.Lock()
	defer o.Lowering.Unlock()
	step := uint64(0)
	if time.Since(o.lows) < lowsEvery {
		step = lowsStep
	}
	risen := o.risenLows(step)
	var now time.Time
	within := sqltx.Bounds{Limit: renewTimeout}
	err = o.DB.WriteWithin(ctx, within, sqltx.ByIndex, func(b *sqltx.Batch) {
		// Its answer has the server's time: the clock is set once a second without a round trip of
		// its own.
		b.Queue(o.SQL.Renew, o.ID, LeaseTime.Microseconds()).QueryRow(func(row pgx.Row) error {
			err := row.Scan(&now, &started)
			o.Clock.Set(now, sent, time.Now())
			return err
		})
		o.queueLows(b, &risen)
		// After the low marks, so that memory gets them as they are now in the database.
		b.Queue(o.SQL.Shares).Query(sqltx.Into(&shares, readDealt))
		b.Queue(o.SQL.Replicas).Query(sqltx.Into(&replicas, pgx.RowTo[int64]))
	})
	// Else they are due again at once.
	if err == nil && len(risen.IDs) > 0 {
		o.lows = sent
	}
	return shares, replicas, started, err
}

func (o *Ownership) risenLows(step uint64) memory.Lows {
	o.Memory.Lock()
	defer o.Memory.Unlock()
	return o.Memory.RisenLows(step)
}

// queueLows adds the statement that raises low marks. A share that was lost meanwhile is left
// alone: its fence is another. So is every share on another server than memory agrees with.
func (o *Ownership) queueLows(b *sqltx.Batch, risen *memory.Lows) {
	if len(risen.IDs) > 0 {
		o.queueLockShares(b, risen.IDs, o.ID)
		b.Queue(o.SQL.Lows, risen.IDs, risen.Fences, risen.Lows, o.ID, o.server)
	}
}

// queueLockShares adds to a transaction that it locks shares of an owner; 0 stands for any. It
// comes before the first statement that changes one: see sharesforupdate.sql.
func (o *Ownership) queueLockShares(b *sqltx.Batch, ids []int32, owner int64) {
	b.Queue(o.SQL.SharesForUpdate, ids, owner)
}

func readDealt(row pgx.CollectableRow) (d memory.Dealt, err error) {
	err = row.Scan(&d.ID, &d.Owner, &d.Fence, &d.Low, &d.Live)
	return d, err
}

// release gives up shares that have nothing leased.
func (o *Ownership) release(ctx context.Context, ids []int32) error {
	if len(ids) == 0 {
		return nil
	}
	// First memory, then the database: from the commit on another replica may claim of them.
	o.Memory.Lock()
	o.Memory.Drop(ids...)
	o.Memory.Unlock()
	within := sqltx.Bounds{Grace: sqltx.Grace, Limit: renewTimeout}
	return o.DB.WriteWithin(ctx, within, sqltx.ByIndex, func(b *sqltx.Batch) {
		o.queueLockShares(b, ids, o.ID)
		b.Queue(o.SQL.Release, ids, o.ID)
		o.Notify.QueueSharesFree(b)
	})
}

// Leave gives up all shares, and takes the replica out of those that live. Leases that are still
// there end.
func (o *Ownership) Leave(ctx context.Context) error {
	o.tick <- struct{}{}
	defer func() { <-o.tick }()
	o.Lowering.Lock()
	defer o.Lowering.Unlock()
	if !o.alive {
		return nil
	}
	// Even if what follows fails: then others see the replica die, four seconds later.
	o.alive = false
	o.lease.end()
	// All, and not those in memory: it may own shares that it has not read yet.
	all := make([]int32, memory.Shares)
	for id := range all {
		all[id] = int32(id)
	}
	risen := o.risenLows(0) // before memory forgets them
	o.Memory.Lock()
	o.Memory.Drop(all...)
	o.Memory.Unlock()
	within := sqltx.Bounds{Grace: sqltx.Grace, Limit: leaveTimeout}
	return o.DB.WriteWithin(ctx, within, sqltx.ByIndex, func(b *sqltx.Batch) {
		// All at once, and not first those whose low marks rise: another replica may be taking them
		// in their order, if the lease has run out.
		o.queueLockShares(b, all, o.ID)
		o.queueLows(b, &risen)
		b.Queue(o.SQL.Release, all, o.ID)
		b.Queue(o.SQL.Leave, o.ID)
		o.Notify.QueueSharesFree(b)
	})
}

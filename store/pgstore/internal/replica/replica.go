package replica

import (
	"context"
	"sync"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store/pgstore/internal/clock"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/notify"
	"github.com/outhook/outhook/store/pgstore/internal/schema"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// Replica is one replica. Its fields are set before it is used, and not changed.
type Replica struct {
	ID     int64 // random, above 0
	DB     *sqltx.DB
	Schema schema.Name
	SQL    *schema.Statements
	Clock  clock.Clock
	Memory *memory.Memory
	Notify *notify.Notifier
	Log    func(what string, err error) // gets what goes wrong in the background

	Life       context.Context // ends with Close
	Cut        context.Context // ends some time after Life, when nothing is waited for any more
	Background sync.WaitGroup  // of goroutines that end with Life

	// Keyed is held by who ends deliveries or puts them behind others of their key. Otherwise one
	// is put behind a delivery that has just ended, and waits for ever.
	Keyed sync.Mutex

	// Lowering is held by who raises low marks in the database, and by who takes in what may be new
	// below them.
	Lowering sync.Mutex

	closing closing
}

// Lock returns the number of the advisory lock that the transactions of this replica hold.
func (r *Replica) Lock() int64 { return r.Schema.ReplicaLock(r.ID) }

// QueueLock adds to a transaction that it holds the lock of this replica. It must be a statement of
// its own, before those that look who the owner is: a statement sees what was committed before it
// began, and it may wait for the lock until a new owner has committed.
func (r *Replica) QueueLock(b *sqltx.Batch) { b.Queue(r.SQL.LockShared, r.Lock()) }

// Writers returns the number of the advisory lock that each transaction of a store holds which
// would change something of a tenant.
func (r *Replica) Writers() int64 { return r.Schema.LockKey("writers") }

// TenantLock returns the number of the advisory lock that each transaction of a host holds which
// has published for the tenant.
func (r *Replica) TenantLock(tenant string) int64 { return r.Schema.LockKey("tenant\x00" + tenant) }

// PruneLock returns the number of the advisory lock that is held over a step of Prune.
func (r *Replica) PruneLock() int64 { return r.Schema.LockKey("prune") }

// QueueTimes adds to a transaction that stores events with numbers that were drawn before that no
// step of Prune goes on until it ends. Prune would note until when the events of such numbers were
// enqueued, without these.
func (r *Replica) QueueTimes(b *sqltx.Batch) { b.Queue(r.SQL.LockShared, r.PruneLock()) }

// QueueWriter adds to a transaction that it holds the lock of this replica, and that of writers. As
// [Replica.QueueLock], it comes before what looks whether a tenant is settled.
func (r *Replica) QueueWriter(b *sqltx.Batch) {
	b.Queue(r.SQL.LockWriter, r.Lock(), r.Writers())
}

// QueueSettled adds to a transaction that it fails with [schema.NotSettled] if a tenant is not
// settled, and that nobody who closes the tenant misses what follows.
func (r *Replica) QueueSettled(b *sqltx.Batch, tenant string) {
	b.Queue(r.SQL.LockShared, r.Writers())
	b.Queue(r.SQL.RequireSettled, tenant)
}

// QueueSettledOf is QueueSettled for the tenant of a subscription.
func (r *Replica) QueueSettledOf(b *sqltx.Batch, subscriptionID string) {
	b.Queue(r.SQL.LockShared, r.Writers())
	b.Queue(r.SQL.RequireSettledOf, subscriptionID)
}

// DoubtAfter has memory brought in line with the database before anything more is claimed, if a
// transaction that has failed may have committed: what it has written nobody else tells memory.
func (r *Replica) DoubtAfter(err error) {
	if !sqltx.Unknown(err) {
		return
	}
	r.Memory.Lock()
	defer r.Memory.Unlock()
	r.Memory.Doubt()
}

// Server is that of [memory.Memory], for a transaction that is about to begin.
func (r *Replica) Server() int {
	r.Memory.Lock()
	defer r.Memory.Unlock()
	return r.Memory.Server()
}

// Apply tells the schedule what has become of deliveries in a transaction, before which server was
// the present one.
func (r *Replica) Apply(server int, changes ...memory.Change) {
	if len(changes) == 0 {
		return
	}
	r.Memory.Lock()
	defer r.Memory.Unlock()
	r.Memory.Since(server)
	now := r.Clock.Now()
	for _, c := range changes {
		r.Memory.Apply(c, now)
	}
}

// Numbers returns deliveries as arguments of a statement: subscriptions and events. They are not
// nil, which would be NULL.
func Numbers(deliveries []memory.Delivery) (subs, seqs []int64) {
	subs, seqs = make([]int64, len(deliveries)), make([]int64, len(deliveries))
	for i, d := range deliveries {
		subs[i], seqs[i] = int64(d.Sub), int64(d.Seq)
	}
	return subs, seqs
}

// InputError turns an error that says that the input is bad into one that names the field. The
// server says only that some text is bad; of the rooms' texts only that field can be.
func InputError(field string, err error) error {
	if sqltx.State(err) == sqltx.InvalidText {
		return &events.InvalidError{
			Field:  field,
			Reason: "has the character NUL or invalid UTF-8, which PostgreSQL cannot keep; remove it",
		}
	}
	return err
}

package memory

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/schedule"
)

// What memory knows of a subscription that has something pending or leased, or had until lately,
// and of each lease. The schedule decides with it who is next.
type (
	Queue = schedule.Sub[Subscriber, Claimed]
	Lease = schedule.Lease[Subscriber, Claimed]
)

// maxWindow is how many positions the schedule holds of each order that the file has in full. So a
// million pending deliveries cost memory no more than a few; see
// docs/decisions/implicit-pending-rows.md.
const maxWindow = 64

// maxIdle is how many queues are kept that have nothing.
const maxIdle = 1024

// Subscriber is what memory has of a subscription beside what the schedule knows.
type Subscriber struct {
	// Sub is the subscription, once it is read. It is replaced as a whole and never changed, so
	// claims can share what it points to. It is nil if its record can't be read.
	Sub *store.Subscription

	Pending  int           // how many are pending other than implicit ones
	Oldest   Oldest        // of those
	Chunks   bool          // there may be chunks in the file
	Marks    []record.Mark // that are not purged yet
	trimming bool          // it is in the list of that name
	counted  counted       // for its tenant
}

// Claimed is what memory has of a lease beside what the schedule knows.
type Claimed struct {
	Event *record.Event // if it is at hand, until Claim has read the delivery
	// As it was when the lease began, until Claim has read the delivery: the queue's may change.
	Sub *store.Subscription

	// Once Claim has read the delivery:
	EventID string
	Key     uint64 // the hash of its key
	AsOf    uint64 // what it was claimed as: if the file says another, the token is of no use
}

// IsImplicit reports whether the delivery of a lease had no row when it was claimed.
func IsImplicit(l *Lease) bool { return l.From == order.Implicit || l.From == order.Packed }

// Withheld returns why deliveries of a subscription may not be claimed; empty if they may. Those of
// one that can't be read may, to find that out and die.
func Withheld(sub *store.Subscription) store.Wait {
	if sub == nil {
		return ""
	}
	return sub.Withheld()
}

// Active reports whether deliveries of a subscription may be claimed.
func Active(sub *store.Subscription) bool { return Withheld(sub) == "" }

// WithheldBy returns why deliveries of a queue that is known may not be claimed; empty if they may.
// While its tenant is moved they may not either.
func WithheldBy(q *Queue) store.Wait {
	switch {
	case q.Active():
		return ""
	case Active(q.Data.Sub):
		return store.WaitPaused
	}
	return Withheld(q.Data.Sub)
}

// setBacklogOf takes in what the file says of a subscription's backlog.
func setBacklogOf(q *Queue, b *record.Backlog) {
	q.Data.Pending, q.Data.Chunks, q.Data.Marks = b.Pending, b.Chunks, b.Marks
	pin(q)
}

// pin keeps the schedule from forgetting a queue that has a backlog in the file.
func pin(q *Queue) { q.Pinned = q.Data.Pending != 0 || q.Data.Chunks || len(q.Data.Marks) > 0 }

// Present returns the lease that a token is for; nil if the token is worth nothing. It must be for
// the names that it was given out for: a token alone proves nothing.
func (m *Memory) Present(token uint64, subscriptionID, eventID string) *Lease {
	l := m.Schedule.Present(token)
	if l == nil || l.Data.EventID != eventID {
		return nil
	}
	if sub := l.Sub.Data.Sub; sub == nil || sub.ID != subscriptionID {
		return nil
	}
	return l
}

package boltstore

import (
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/schedule"
)

// What memory knows of a subscription that has something pending or leased, or had until lately, and of each lease. The
// schedule decides with it who is next.
type (
	queue = schedule.Sub[subscriber, claimed]
	lease = schedule.Lease[subscriber, claimed]
	place = schedule.Position
)

// maxWindow is how many positions the schedule holds of each order that the file has in full.
const maxWindow = 64

// maxIdle is how many queues are kept that have nothing.
const maxIdle = 1024

// subscriber is what memory has of a subscription beside what the schedule knows.
type subscriber struct {
	// sub is the subscription, once it is read. It is replaced as a whole and never changed, so claims can share what it
	// points to. It is nil if its record can't be read.
	sub *store.Subscription

	pending  int           // how many are pending other than implicit ones
	stored   stored        // the oldest of those
	chunks   bool          // there may be chunks in the file
	marks    []record.Mark // that are not swept yet
	trimming bool          // it is in the list of that name
}

// claimed is what memory has of a lease beside what the schedule knows.
type claimed struct {
	event *record.Event       // if it is at hand, until Claim has read the delivery
	sub   *store.Subscription // as it was when the lease began, until Claim has read the delivery: the queue's may change

	// Once Claim has read the delivery:
	eventID string
	key     uint64 // the hash of its key
	stamp   uint64 // what it was claimed as: if the file says another, the token is of no use
}

// implicitly reports whether the delivery of a lease had no row when it was claimed.
func implicitly(l *lease) bool { return l.From == schedule.Implicit || l.From == schedule.Packed }

// active reports whether deliveries of a subscription may be claimed at all. Those of one that can't be read may, to find
// that out and die.
func active(sub *store.Subscription) bool { return sub == nil || sub.Status == store.Subscribed }

// setBacklogOf takes in what the file says of a subscription's backlog.
func setBacklogOf(q *queue, b *record.Backlog) {
	q.Data.pending, q.Data.chunks, q.Data.marks = b.Pending, b.Chunks, b.Marks
	pin(q)
}

// pin keeps the schedule from forgetting a queue that has a backlog in the file.
func pin(q *queue) { q.Pinned = q.Data.pending != 0 || q.Data.chunks || len(q.Data.marks) > 0 }

// present returns the lease that a token is for; nil if the token is worth nothing.
func (m *memory) present(token uint64, subscriptionID, eventID string) *lease {
	l := m.schedule.Present(token)
	if l == nil || l.Data.eventID != eventID {
		return nil
	}
	if sub := l.Sub.Data.sub; sub == nil || sub.ID != subscriptionID {
		return nil
	}
	return l
}

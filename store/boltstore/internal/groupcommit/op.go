package groupcommit

import "time"

// Op is one operation, for one call of [Group.Submit].
type Op[Tx any] struct {
	// Do does it in a transaction that it may share with others. It should check all it can before
	// it writes. It may be called again, in another transaction, after one was rolled back; and
	// after Submit has returned, if the context ended while it was under way.
	Do func(Tx) error

	// Ended is told how the operation ended, once, before Submit returns; or later, if the context
	// ended while it was under way. Config.Mu is held. It may be nil.
	Ended func(error)

	// Records is 0 for an operation that is to be committed as soon as possible. Otherwise the
	// operation is deferred: it waits, at most Config.MaxDelay, for a commit to ride on. Records
	// says how many records it writes.
	Records int

	// NextCommit has a deferred operation ride on the next commit, however few records there are.
	NextCommit bool

	err   error
	state state
	done  chan struct{} // closed when the operation has ended, unless it left
	baton int           // its caller starts expect, with this turn; 0 if it doesn't

	mayFlushAt  time.Time // from then on it rides on any commit; of a deferred operation alone
	mustFlushAt time.Time // then it is committed, even alone; of a deferred operation alone

	queued     bool
	prev, next *Op[Tx] // in the queue
}

type state int

const (
	waiting   state = iota // in the queue, or about to be tried again
	taken                  // a transaction has it
	abandoned              // a transaction has it, and its caller has left
	ended
)

func (o *Op[Tx]) deferred() bool { return o.Records > 0 }

// queue is a list of operations in order of arrival. It is linked, because anyone may leave: with
// a slice, ten thousand that give up at once would move each other about in quadratic time.
type queue[Tx any] struct {
	first, last *Op[Tx]
	urgent      int // how many are not deferred
	records     int // of those that are
}

func (q *queue[Tx]) add(o *Op[Tx]) {
	o.queued = true
	if o.prev = q.last; o.prev == nil {
		q.first = o
	} else {
		o.prev.next = o
	}
	q.last = o
	q.count(o, 1)
}

func (q *queue[Tx]) remove(o *Op[Tx]) {
	if !o.queued {
		return
	}
	if o.prev == nil {
		q.first = o.next
	} else {
		o.prev.next = o.next
	}
	if o.next == nil {
		q.last = o.prev
	} else {
		o.next.prev = o.prev
	}
	o.queued, o.prev, o.next = false, nil, nil
	q.count(o, -1)
}

func (q *queue[Tx]) count(o *Op[Tx], d int) {
	if o.deferred() {
		q.records += d * o.Records
	} else {
		q.urgent += d
	}
}

// firstDeferred returns the deferred operation that has waited longest, or nil.
func (q *queue[Tx]) firstDeferred() *Op[Tx] {
	if q.records == 0 {
		return nil
	}
	o := q.first
	for !o.deferred() {
		o = o.next
	}
	return o
}

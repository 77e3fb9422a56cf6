package memory

import (
	"github.com/outhook/outhook/store"
)

// Oldest is what memory knows of the oldest pending delivery of a subscription that has a row or is
// in a chunk. Finding it takes reading; so it is kept until that delivery ends.
type Oldest struct {
	Seq  uint64 // its event; 0 if it is not known
	turn int    // counts what may have changed it
}

// moved takes in that a delivery has become pending, or has ended.
func (o *Oldest) moved(seq uint64, pending bool) {
	o.turn++
	switch {
	case pending && o.Seq != 0:
		o.Seq = min(o.Seq, seq)
	case !pending && seq == o.Seq:
		o.Seq = 0
	}
}

// forget takes in that much has changed.
func (o *Oldest) forget() { o.Seq, o.turn = 0, o.turn+1 }

// Older returns the older of two events. 0 stands for no event.
func Older(a, b uint64) uint64 {
	if a == 0 || b != 0 && b < a {
		return b
	}
	return a
}

// Unknown is a subscription whose oldest pending delivery must be read from the file.
type Unknown struct {
	queue *Queue
	Num   uint64
	turn  int
}

// Learn takes in what the file has: the oldest event, or 0. It is ignored if something has changed
// since CountPending, for then the file may have said it before that.
func (u *Unknown) Learn(seq uint64) {
	if o := &u.queue.Data.Oldest; o.turn == u.turn {
		o.Seq = seq
	}
}

// CountPending counts what is pending of one subscription, or, when num is 0, of all. It returns
// the oldest event that memory knows to be pending, 0 if there is none, and the
// subscriptions that may have older ones.
func (m *Memory) CountPending(stats *store.Stats, num uint64) (oldest uint64, ask []Unknown) {
	m.Schedule.Expire(m.now())
	see := func(q *Queue) {
		implicit, first := q.ImplicitPending()
		stats.Pending += q.Data.Pending + implicit
		stats.InFlight += q.Leased()
		oldest = Older(oldest, first)
		switch known := &q.Data.Oldest; {
		case q.Data.Pending == 0:
		case known.Seq != 0:
			oldest = Older(oldest, known.Seq)
		default:
			ask = append(ask, Unknown{q, q.Num, known.turn})
		}
	}
	if num == 0 {
		m.Schedule.Subs(see)
	} else if q := m.Schedule.Sub(num); q != nil {
		see(q)
	}
	return oldest, ask
}

package outcomes

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// rows are the arguments of the statements that write deliveries.
//
// Each slice has one element a delivery, at the same index. A pointer is for what may be NULL.
// Inserts and updates take the same arguments in the same order.
type rows struct {
	subs, seqs    []int64
	states        []int16
	statuses      []*int16
	dues          []*int64
	dueSinces     []*time.Time
	over, whole   []bool
	attempts      []int32
	bases         []int32
	keys, errs    []*string
	reasons       []*string
	logs, answers [][]byte
	bodies        [][]byte
	bodyStates    []int16
}

func (r *rows) add(d *subject) {
	pending := d.state == store.Pending
	r.subs, r.seqs = append(r.subs, d.num), append(r.seqs, d.seq)
	r.states, r.over = append(r.states, record.StateNumber(d.state)), append(r.over, !pending)
	r.attempts, r.bases = append(r.attempts, int32(d.attempts)), append(r.bases, int32(d.base))
	var due *int64
	var key *string // only what is pending has one: the index of keys is as small as that
	if pending {
		due = &d.due
		if d.key != "" {
			key = &d.key
		}
	}
	r.dues, r.dueSinces = append(r.dues, due), append(r.dueSinces, d.dueSince)
	r.keys = append(r.keys, key)
	status := d.status
	// The column is NOT NULL. In an update NULL leaves what is there.
	if status == nil && !d.hasRow {
		status = new(int16)
	}
	r.statuses = append(r.statuses, status)
	// A success has no error, and NULL takes no room.
	if d.err != nil && *d.err == "" {
		d.err = nil
	}
	r.errs, r.reasons = append(r.errs, d.err), append(r.reasons, d.reason)
	r.logs, r.answers = append(r.logs, d.added.Log), append(r.answers, d.added.Answers)
	r.whole = append(r.whole, d.whole)
	r.bodies = append(r.bodies, d.body)
	r.bodyStates = append(r.bodyStates, d.bodyState)
}

func (r *rows) args() []any {
	return []any{
		r.subs, r.seqs, r.states, r.dues, r.dueSinces, r.over, r.attempts, r.bases, r.statuses, r.keys,
		r.errs, r.reasons, r.logs, r.answers, r.whole, r.bodies, r.bodyStates,
	}
}

// queueWrites adds the statements that write what was decided. A row that somebody else has made
// since it was read is an error of the first of them, after which all begins anew: a delivery
// without a row has nothing that could have been locked.
//
// The order of the statements matters for the last only: which delivery of a key is the first one
// pending is seen once those before it have their new state.
func (c *concluding) queueWrites(b *sqltx.Batch) {
	var inserts, updates rows
	var ended replica.Keys
	var subs, seqs []int64
	for _, d := range c.changed {
		// Rewritten as a whole. Up to there the statement appends, and the row's log is not read.
		// PostgreSQL writes a long value anew in either case.
		if d.attempts > store.MaxDetails {
			d.added, d.whole = record.Newest(&d.before, &d.added, d.attempts), true
		}
		if d.hasRow {
			updates.add(d)
		} else {
			inserts.add(d)
		}
		// Whether anything waits behind it is not known here; the statement finds out.
		if d.state != store.Pending && d.key != "" {
			ended.Add(d.num, d.key)
		}
		// Another replica may own the share of a late success, and must learn of it.
		subs, seqs = append(subs, d.num, d.num), append(seqs, d.seq, 0) // 0: the subscription's health
	}
	if len(inserts.subs) > 0 {
		b.Queue(c.SQL.InsertDeliveries, inserts.args()...)
	}
	if len(updates.subs) > 0 {
		b.Queue(c.SQL.UpdateDeliveries, updates.args()...)
	}
	// Health of all is written in the same transaction as what it follows from, so a crash leaves
	// both or neither.
	c.queueHealth(b)
	if len(subs) > 0 {
		b.Queue(c.SQL.Notice, subs, seqs, c.ID) // for those that another replica owns
	}
	c.QueueUnblock(b, &ended, &c.freed)
}

// queueHealth adds the statement that writes what outcomes have changed of health. Their rows are
// locked since they were read, so the order of a map does no harm.
func (c *concluding) queueHealth(b *sqltx.Batch) {
	var changes record.HealthRows
	for num, h := range c.healths {
		if h.changed {
			changes.Add(num, h.Health)
		}
	}
	if changes.Len() > 0 {
		b.Queue(c.SQL.SetHealth, changes.Args()...)
	}
}

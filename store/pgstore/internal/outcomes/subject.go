package outcomes

import (
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// subject is a delivery that outcomes are about, as it is and as they leave it.
//
// Several outcomes may be about one delivery: the present one, and a late success. They share the
// subject, so that the later sees what the earlier has made of it, and one row is written.
type subject struct {
	num, seq   int64
	canceledTo int64
	key        string
	erased     bool
	expires    *time.Time // when its event does
	owner      int64      // of its share
	fence      int64      // of its share

	hasRow         bool
	state          store.State
	stamp          int64 // when it became pending
	attempts, base int
	before         record.History // what was recorded before, if that may have to be cut

	changed   bool
	due       int64
	dueSince  *time.Time // if it is due at once
	status    *int16
	err       *string
	reason    *string
	added     record.History
	whole     bool // added is all, and does not follow what was recorded before
	body      []byte
	bodyState int16
}

func (d *subject) name() memory.Delivery {
	return memory.Delivery{Sub: uint64(d.num), Seq: uint64(d.seq)}
}

// queueSubjects adds the statement that locks and reads what the outcomes are about. It locks the
// deliveries and the health of their subscriptions until the end of the transaction.
func (c *concluding) queueSubjects(b *sqltx.Batch) {
	n := len(c.outcomes)
	subs, ids, sure := make([]string, n), make([]string, n), make([]bool, n)
	for i, o := range c.outcomes {
		// With a lease, Claim has seen that the event is for the subscription, and the list of
		// recipients, which may be long, is not searched.
		subs[i], ids[i], sure[i] = o.SubscriptionID, o.EventID, o.lease != nil
	}
	// The log is read only if it may have to be cut. It is otherwise appended to, unread.
	b.Queue(c.SQL.Subjects, subs, ids, sure, record.NearlyFull).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			if err := c.readSubject(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

// A delivery for which there is no row in the result does not exist; its entry in of stays nil.
func (c *concluding) readSubject(row pgx.Row) error {
	var ord, low int64
	var state *int16
	var h record.Health
	d := &subject{}
	dest := []any{
		&ord, &d.num, &d.canceledTo, &d.seq, &d.key, &d.erased, &d.expires, &d.owner, &d.fence, &low,
		&state, &d.stamp, &d.attempts, &d.base, &d.before.Log, &d.before.Answers,
	}
	if err := row.Scan(append(append(dest, h.Columns()...), &c.now)...); err != nil {
		return err
	}
	c.now = c.now.UTC()
	// Neither: it is below the low mark without a row, so it is over and removed, and the state
	// stays "".
	switch {
	case state != nil:
		d.hasRow, d.state = true, record.States[*state]
	case d.seq > low || c.outcomes[ord-1].lease != nil:
		d.state = store.Pending // without a row
	}
	expired := d.expires != nil && !d.expires.After(c.now)
	if d.state == store.Pending && (d.stamp < d.canceledTo || d.erased || expired) {
		d.state = store.Canceled // it has not been told so
	}
	// The row is the same, but for the ordinal.
	if known := c.subjects[d.name()]; known != nil {
		d = known
	} else {
		c.subjects[d.name()] = d
	}
	c.of[ord-1] = d
	// The first row of a subscription brings its health; outcomes may not have changed it yet at
	// this point, as all rows are read before anything is decided.
	if c.healths[d.num] == nil {
		c.healths[d.num] = &healthChange{Health: new(h.Record())}
	}
	return nil
}

// decide says what becomes of a delivery by an outcome, if it counts. It changes only the subject
// and the health in c; what it leaves is written by queueWrites.
func (c *concluding) decide(i int) {
	o, d := c.outcomes[i], c.of[i]
	c.results[i] = store.Result{Ignored: true}
	if d == nil || d.state == "" {
		return
	}
	// The owner and the fence fence off a replica that was frozen while another took its shares;
	// the stamp and the number of attempts, a token from before the delivery was replayed or
	// attempted.
	present := o.lease != nil && d.state == store.Pending && d.owner == c.ID && d.fence == o.fence &&
		uint64(d.stamp) == o.lease.Data.Stamp && d.attempts == o.lease.Data.Attempts
	// The endpoint has the event, also if another replica owns the delivery by now.
	late := o.state == store.Delivered && (d.state == store.Pending || d.state == store.Canceled)
	if !present && !late {
		return
	}
	// Once each, however many outcomes are of it: its row is written once.
	if !d.changed {
		c.changed = append(c.changed, d)
	}
	d.changed, d.state, d.due, d.dueSince = true, o.state, 0, nil
	h := c.healths[d.num]
	// It says nothing of the endpoint, and no attempt is counted.
	if o.state == store.Canceled {
		d.reason = &o.err
		c.results[i] = store.Result{Before: h.Health, After: h.Health}
		return
	}
	d.addAttempt(o)
	before := h.Health
	// By the server's time: replicas must agree on when a hold ends.
	h.apply(&o.health, c.now)
	c.results[i] = store.Result{Before: before, After: h.Health}
	c.counted = append(c.counted, i)
	switch {
	case o.health.Parks(h.Health): // it waits for the breaker, and not for a time
		d.due, d.dueSince = order.Parked(d.attempts), &c.now
	case o.state == store.Pending:
		// From now on, and not from the end of the attempt: the delay begins when the failure is
		// recorded.
		d.due = memory.Retrying(c.Clock.Now()/int64(time.Microsecond) + o.retryIn)
		if d.expires != nil { // then it is canceled, and what waits behind it goes on
			d.due = min(d.due, d.expires.UnixMicro())
		}
	}
}

// addAttempt adds the attempt of an outcome. Its number is the count of those recorded, whatever
// the claim has said: a late success may have come between.
func (d *subject) addAttempt(o *outcome) {
	d.attempts++
	d.status, d.err, d.reason = &o.status, &o.err, nil
	if o.health.KeepRetry && o.state == store.Pending {
		// Retries are attempts less base, so this one is not counted among them.
		d.base++
	}
	d.added.Log = append(d.added.Log, o.log...)
	// What an erasure has removed must not come back with a late success.
	if d.erased {
		return
	}
	d.added.Answers = record.AppendAnswer(d.added.Answers, d.attempts, o.answer)
	// Once it is decided it stays: 0 leaves what the row has.
	if o.bodyState != 0 {
		d.body, d.bodyState = o.body, o.bodyState
	}
}

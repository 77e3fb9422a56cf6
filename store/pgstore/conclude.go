package pgstore

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule"
)

// conclude records the outcomes that are not yet: it reads and locks what they are about, decides,
// and writes.
func (s *Store) conclude(ctx context.Context, all []*outcome, results []store.Result) (err error) {
	var rest []int
	for i, o := range all {
		if !o.placed {
			rest = append(rest, i)
		}
	}
	if len(rest) == 0 {
		return nil
	}
	s.keyed.Lock() // what ends may unblock others
	defer s.keyed.Unlock()
	for range tries {
		c := &concluding{store: s, subjects: make(map[moved]*subject), healths: make(map[int64]*healthChange)}
		for _, i := range rest {
			c.outcomes = append(c.outcomes, all[i])
		}
		c.results = make([]store.Result, len(rest))
		if err = c.run(ctx); err == nil {
			for j, i := range rest {
				results[i] = c.results[j]
			}
			return nil
		}
		if !transient(err) {
			return err
		}
	}
	return err
}

// concluding is one try to record outcomes.
type concluding struct {
	store    *Store
	outcomes []*outcome
	results  []store.Result

	now      time.Time // the server's
	of       []*subject
	subjects map[moved]*subject // by subscription and event
	healths  map[int64]*healthChange
	order    []*subject // in which they were first met
	counted  []int      // outcomes that are attempts
	freed    []moved    // what they have unblocked
}

// subject is a delivery that outcomes are about, as it is and as they leave it.
type subject struct {
	num, seq   int64
	canceledTo int64
	key        string
	erased     bool
	owner      int64
	fence      int64

	hasRow         bool
	state          store.State
	stamp          int64
	attempts, base int
	before         history // what was recorded before, if that is to be cut

	changed     bool
	due         int64
	dueSince    *time.Time // if it is due at once
	status      *int16
	err         *string
	reason      *string
	added       history
	whole       bool // added is all, and not what follows on what was recorded before
	body        []byte
	bodyState   int16
	wasCanceled bool
}

// healthChange is a subscription's health, as it is and as outcomes leave it.
type healthChange struct {
	store.Health
	changed bool
}

func (c *concluding) run(ctx context.Context) error {
	s := c.store
	began := time.Now()
	err := s.writeAfter(ctx, finishSettings, func(b *batch) {
		b.Queue(s.sql.LockShared, s.lockOf(s.owner.id))
		c.queueSubjects(b)
	}, func(b *batch) {
		if !c.now.IsZero() {
			// Holds are counted from then: by this replica's clock it must not be later than now.
			s.clock.set(c.now, began, time.Now())
		}
		for i := range c.outcomes {
			c.decide(i)
		}
		c.queueWrites(b)
	})
	if err == nil {
		c.apply()
	}
	return err
}

// queueSubjects adds the statement that reads what the outcomes are about.
func (c *concluding) queueSubjects(b *batch) {
	n := len(c.outcomes)
	subs, ids, sure := make([]string, n), make([]string, n), make([]bool, n)
	for i, o := range c.outcomes {
		subs[i], ids[i], sure[i] = o.SubscriptionID, o.EventID, o.lease != nil
	}
	c.of = make([]*subject, n)
	b.Queue(c.store.sql.Subjects, subs, ids, sure, nearlyMany).Query(func(rows pgx.Rows) error {
		for rows.Next() {
			if err := c.readSubject(rows); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}

func (c *concluding) readSubject(row pgx.Row) error {
	var ord, low int64
	var state *int16
	var h health
	d := &subject{}
	err := row.Scan(append(append([]any{&ord, &d.num, &d.canceledTo, &d.seq, &d.key, &d.erased, &d.owner, &d.fence, &low, &state,
		&d.stamp, &d.attempts, &d.base, &d.before.log, &d.before.answers}, h.columns()...), &c.now)...)
	if err != nil {
		return err
	}
	c.now = c.now.UTC()
	switch {
	case state != nil:
		d.hasRow, d.state = true, states[*state]
	case d.seq > low || c.outcomes[ord-1].lease != nil:
		d.state = store.Pending
	}
	if d.state == store.Pending && (d.stamp < d.canceledTo || d.erased) {
		d.state, d.wasCanceled = store.Canceled, true
	}
	name := moved{num: uint64(d.num), seq: uint64(d.seq)}
	if known := c.subjects[name]; known != nil {
		d = known
	} else {
		c.subjects[name] = d
	}
	c.of[ord-1] = d
	if c.healths[d.num] == nil {
		c.healths[d.num] = &healthChange{Health: h.record()}
	}
	return nil
}

// decide says what becomes of a delivery by an outcome, if it counts.
func (c *concluding) decide(i int) {
	o, d := c.outcomes[i], c.of[i]
	c.results[i] = store.Result{Ignored: true}
	if d == nil || d.state == "" {
		return
	}
	present := o.lease != nil && d.state == store.Pending && d.owner == c.store.owner.id && d.fence == o.fence &&
		uint64(d.stamp) == o.lease.Data.stamp && d.attempts == o.lease.Data.attempts
	late := o.state == store.Delivered && (d.state == store.Pending || d.state == store.Canceled)
	if !present && !late {
		return
	}
	if !d.changed {
		c.order = append(c.order, d)
	}
	d.changed, d.state, d.due, d.dueSince = true, o.state, 0, nil
	h := c.healths[d.num]
	if o.state == store.Canceled {
		d.reason = &o.err
		c.results[i] = store.Result{Before: h.Health, After: h.Health}
		return
	}
	d.attempts++
	d.status, d.err, d.reason = &o.status, &o.err, nil
	if o.health.KeepRetry && o.state == store.Pending {
		d.base++
	}
	d.added.log = append(d.added.log, o.log...)
	if !d.erased {
		d.added.answers = appendAnswer(d.added.answers, d.attempts, o.answer)
	}
	if o.bodyState != 0 {
		d.body, d.bodyState = o.body, o.bodyState
	}
	before := h.Health
	h.take(&o.health, c.now)
	c.results[i] = store.Result{Before: before, After: h.Health}
	c.counted = append(c.counted, i)
	switch {
	case o.health.Parks(&h.Health):
		d.due, d.dueSince = schedule.Parked(d.attempts), &c.now
	case o.state == store.Pending:
		d.due = c.store.clock.now()/int64(time.Microsecond) + o.retryIn
	}
}

// take brings the health up to an outcome.
func (h *healthChange) take(o *store.Outcome, now time.Time) {
	after := asStored(h.Next(o, now))
	h.changed = h.changed || after != h.Health
	h.Health = after
}

// states are what the database calls 0, 1, 2 and 3.
var states = store.States()

// stateNumber is the opposite.
func stateNumber(s store.State) int16 {
	for i, name := range states {
		if name == s {
			return int16(i)
		}
	}
	return -1
}

// deliveryRows are arguments of the statements that write deliveries.
type deliveryRows struct {
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

func (r *deliveryRows) add(d *subject) {
	pending := d.state == store.Pending
	r.subs, r.seqs = append(r.subs, d.num), append(r.seqs, d.seq)
	r.states, r.over = append(r.states, stateNumber(d.state)), append(r.over, !pending)
	r.attempts, r.bases = append(r.attempts, int32(d.attempts)), append(r.bases, int32(d.base))
	var due *int64
	var key *string
	if pending {
		due = &d.due
		if d.key != "" {
			key = &d.key
		}
	}
	r.dues, r.dueSinces, r.keys = append(r.dues, due), append(r.dueSinces, d.dueSince), append(r.keys, key)
	status := d.status
	if status == nil && !d.hasRow {
		status = new(int16)
	}
	r.statuses = append(r.statuses, status)
	if d.err != nil && *d.err == "" {
		d.err = nil
	}
	r.errs, r.reasons = append(r.errs, d.err), append(r.reasons, d.reason)
	r.logs, r.answers, r.whole = append(r.logs, d.added.log), append(r.answers, d.added.answers), append(r.whole, d.whole)
	r.bodies = append(r.bodies, d.body)
	r.bodyStates = append(r.bodyStates, d.bodyState)
}

func (r *deliveryRows) args() []any {
	return []any{
		r.subs, r.seqs, r.states, r.dues, r.dueSinces, r.over, r.attempts, r.bases, r.statuses, r.keys, r.errs, r.reasons,
		r.logs, r.answers, r.whole, r.bodies, r.bodyStates,
	}
}

// queueWrites adds the statements that write what was decided. A row that somebody else has made
// since it was read is an error of the first of them, after which all begins anew.
func (c *concluding) queueWrites(b *batch) {
	s := c.store
	var fresh, there deliveryRows
	var keys keySet
	var subs, seqs []int64
	for _, d := range c.order {
		if d.attempts > store.MaxAttempts {
			d.added, d.whole = newest(&d.before, &d.added, d.attempts), true
		}
		if d.hasRow {
			there.add(d)
		} else {
			fresh.add(d)
		}
		if d.state != store.Pending && d.key != "" {
			keys.add(d.num, d.key)
		}
		subs, seqs = append(subs, d.num, d.num), append(seqs, d.seq, 0)
	}
	if len(fresh.subs) > 0 {
		b.Queue(s.sql.InsertDeliveries, fresh.args()...)
	}
	if len(there.subs) > 0 {
		b.Queue(s.sql.UpdateDeliveries, there.args()...)
	}
	c.queueHealth(b)
	if len(subs) > 0 {
		b.Queue(s.sql.Notice, subs, seqs, s.owner.id) // for those that another replica has
	}
	if len(keys.subs) > 0 {
		b.Queue(s.sql.Unblock, keys.subs, keys.keys).Query(readFreed(&c.freed))
	}
}

// queueHealth adds the statement that writes what outcomes have changed of health.
func (c *concluding) queueHealth(b *batch) {
	var rows healthRows
	for num, h := range c.healths {
		if h.changed {
			rows.add(num, &h.Health)
		}
	}
	if len(rows.subs) > 0 {
		b.Queue(c.store.sql.SetHealth, rows.args()...)
	}
}

// apply tells the schedule what was recorded.
func (c *concluding) apply() {
	s := c.store
	s.mu.Lock()
	defer s.unlock()
	now := s.clock.now()
	for num, h := range c.healths {
		if q := s.schedule.Sub(uint64(num)); h.changed && q != nil {
			s.schedule.SetHealth(q, h.Health, now)
		}
	}
	for _, d := range c.order {
		s.apply(moved{
			num: uint64(d.num), seq: uint64(d.seq), pending: d.state == store.Pending, due: d.due, endLease: true,
		}, now)
	}
	for _, m := range c.freed {
		s.apply(m, now)
	}
	for _, i := range c.counted {
		o := c.outcomes[i]
		s.countAttempt(c.of[i].num, now, &o.attempt, o.state == store.Delivered)
	}
}

package outcomes

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// sort says which outcomes are simple. It guesses by what memory knows. The statement looks again,
// and leaves what is not so.
func (r *Recorder) sort(all []*outcome) {
	r.Memory.Lock()
	defer r.Memory.Unlock()
	now := time.Unix(0, r.Clock.Now())
	// A success after a failure of the same subscription changes its health, also if each of them
	// looks simple when it is taken alone.
	hard := make(map[string]bool)
	learned := make(map[string]*store.Health) // what those so far leave, where it is another latency
	for _, o := range all {
		o.simple = false
		if o.state != store.Delivered || o.lease == nil {
			hard[o.SubscriptionID] = true
			continue
		}
		if o.before = learned[o.SubscriptionID]; o.before == nil {
			o.before = o.lease.Sub.Health()
		}
		after := o.before.Next(&o.health, now)
		if after != *o.before { // for most it is the same, and this is under memory's lock
			after = record.AsStored(after)
		}
		switch {
		case after == *o.before:
			// A key may hold others back, and a row would have to be updated: both need what is
			// read first.
			o.simple = !o.lease.Data.HasRow && o.lease.Data.Key == ""
		case isLatencyAlone(o.before, &after):
			kept := after
			learned[o.SubscriptionID] = &kept
		default:
			hard[o.SubscriptionID] = true
		}
	}
	for _, o := range all {
		o.simple = o.simple && !hard[o.SubscriptionID]
	}
}

// isLatencyAlone reports whether two healths are the same but for what is learned of an endpoint's
// speed. That moves in steps and at random (store.Health): most successes leave it alone, but of a
// few hundred some do not. It says nothing of whether the endpoint is well.
func isLatencyAlone(a, b *store.Health) bool {
	same := *b
	same.Latency = a.Latency
	return same == *a
}

// simpleRows are the arguments of the statement for simple outcomes.
type simpleRows struct {
	at            map[memory.Delivery]int // which outcome it is
	subs, seqs    []int64                 // one element an outcome, as in those below
	statuses      []int16
	logs, answers [][]byte
	bodies        [][]byte
	bodyStates    []int16
	firsts        map[int64]int64 // the lowest event of each subscription
	fences        map[int32]int64 // of the shares
}

func newSimpleRows(all []*outcome) *simpleRows {
	rows := &simpleRows{
		at: make(map[memory.Delivery]int), firsts: make(map[int64]int64), fences: make(map[int32]int64),
	}
	for i, o := range all {
		if !o.simple {
			continue
		}
		d := memory.Delivery{Sub: o.lease.Sub.Num, Seq: o.lease.Seq}
		rows.at[d] = i
		sub, seq := int64(d.Sub), int64(d.Seq)
		rows.subs, rows.seqs = append(rows.subs, sub), append(rows.seqs, seq)
		rows.statuses = append(rows.statuses, o.status)
		rows.logs = append(rows.logs, o.log)
		rows.bodies = append(rows.bodies, o.body)
		rows.bodyStates = append(rows.bodyStates, o.bodyState)
		// The delivery has no row, so this is its first attempt.
		rows.answers = append(rows.answers, record.AppendAnswer(nil, 1, o.answer))
		// If the lowest event is not canceled, none is: the statement looks at each subscription
		// once.
		if first, there := rows.firsts[sub]; !there || seq < first {
			rows.firsts[sub] = seq
		}
		rows.fences[o.share] = o.fence
	}
	return rows
}

// finishSimple records the simple outcomes: nothing but their rows is to be written. What it finds
// otherwise it leaves.
func (r *Recorder) finishSimple(ctx context.Context, all []*outcome, results []store.Result) error {
	rows := newSimpleRows(all)
	if len(rows.subs) == 0 {
		return nil
	}
	subs, firsts := pairs(rows.firsts)
	shares, fences := pairs(rows.fences)
	var d memory.Delivery
	var recorded []memory.Delivery
	// One round trip. Local does not wait for a standby: what a failover loses here is sent again.
	// It is tried again only if somebody else was in the way: what has failed otherwise the caller
	// brings again.
	try := 0
	server := r.Server()
	err := sqltx.Retry(func() error {
		// Hardly ever has one got a row, by an erasure or by being canceled. So the first try does
		// not look.
		mayExist := try > 0
		try++
		recorded = nil
		return r.DB.Write(ctx, sqltx.Local, func(b *sqltx.Batch) {
			r.QueueLock(b)
			b.Queue(r.SQL.Finish, rows.subs, rows.seqs, rows.statuses, rows.logs, rows.answers,
				subs, firsts, shares, fences, r.ID, mayExist, rows.bodies, rows.bodyStates).
				Query(sqltx.Each([]any{&d.Sub, &d.Seq}, func() { recorded = append(recorded, d) }))
		})
	})
	if err != nil {
		return err
	}
	r.Memory.Lock()
	defer r.Memory.Unlock()
	r.Memory.Since(server)
	now := r.Clock.Now()
	for _, d := range recorded {
		// The rows come back in any order, so each names its delivery.
		i := rows.at[d]
		all[i].recorded = true
		results[i] = store.Result{Before: all[i].before, After: all[i].before}
		r.Memory.Apply(memory.Change{Delivery: d}, now)
		r.counts.Add(d.Sub, now, &all[i].attempt, true)
	}
	return nil
}

// pairs returns the keys of a map and their values.
func pairs[K comparable, V any](m map[K]V) (keys []K, values []V) {
	for k, v := range m {
		keys, values = append(keys, k), append(values, v)
	}
	return keys, values
}

package outcomes

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// sort says which outcomes are simple.
func (r *Recorder) sort(all []*outcome) {
	r.Memory.Lock()
	defer r.Memory.Unlock()
	now := time.Unix(0, r.Clock.Now())
	hard := make(map[string]bool)
	for _, o := range all {
		o.simple = o.state == store.Delivered && o.lease != nil &&
			!o.lease.Data.HasRow && o.lease.Data.Key == ""
		if o.simple {
			o.before = *o.lease.Sub.Health()
			o.simple = o.before.Next(&o.health, now) == o.before
		}
		if !o.simple {
			hard[o.SubscriptionID] = true
		}
	}
	for _, o := range all {
		o.simple = o.simple && !hard[o.SubscriptionID]
	}
}

// simpleRows are the arguments of the statement for simple outcomes.
type simpleRows struct {
	at            map[memory.Delivery]int // which outcome it is
	subs, seqs    []int64
	statuses      []int16
	logs, answers [][]byte
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
		rows.answers = append(rows.answers, record.AppendAnswer(nil, 1, o.answer))
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
	err := r.DB.Write(ctx, sqltx.Local, func(b *sqltx.Batch) {
		r.QueueLock(b)
		b.Queue(r.SQL.Finish, rows.subs, rows.seqs, rows.statuses, rows.logs, rows.answers,
			subs, firsts, shares, fences, r.ID).
			Query(sqltx.Each([]any{&d.Sub, &d.Seq}, func() { recorded = append(recorded, d) }))
	})
	if err != nil {
		return err
	}
	r.Memory.Lock()
	defer r.Memory.Unlock()
	now := r.Clock.Now()
	for _, d := range recorded {
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

package replica

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/notify"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

const (
	// NoticesStep is how many notices are taken in one transaction. It takes no more once they are
	// about NoticesStepSize deliveries: one notice may be about a thousand.
	NoticesStep     = 500
	NoticesStepSize = 10_000

	// noticesAtOnce is after how many deliveries TakeSomeNotices takes no more. It takes some tenths
	// of a second.
	noticesAtOnce = 50_000

	noticesTimeout = 5 * time.Second // of TakeSomeNotices; the next call goes on

	lookAgainAfter = 500 * time.Millisecond // after trouble in the background
)

// noticed is what a notice is about, as the database has it now. An event of 0 stands for the
// subscription itself.
type noticed struct {
	sub, seq int64
	rowless  bool // it is new, and pending without a row
	pending  bool // it is pending, with a row
	blocked  bool
	due      int64
	key      *string
}

// TakeNotices looks at what others have changed of this replica's shares, and tells memory. When it
// has returned, memory has all that was committed before it was called.
func (r *Replica) TakeNotices(ctx context.Context) error {
	for {
		if all, err := r.TakeSomeNotices(ctx); err != nil || all {
			return err
		}
	}
}

// TakeSomeNotices is TakeNotices for who is not to wait for long: a million deliveries that were
// published while nobody claimed, or that have ended at once, take seconds. It reports whether
// memory has all; otherwise the next call goes on.
func (r *Replica) TakeSomeNotices(ctx context.Context) (all bool, err error) {
	ctx, cancel := context.WithTimeout(ctx, noticesTimeout) // who finishes may wait for Keyed
	defer cancel()
	r.Keyed.Lock() // what is looked at may unblock others
	defer r.Keyed.Unlock()
	for n := 0; ; {
		there, err := r.noticesThere(ctx)
		if err != nil || !there {
			return !there, err
		}
		if n >= noticesAtOnce {
			return false, nil
		}
		taken, err := r.takeSome(ctx)
		if err != nil {
			return false, err
		}
		n += taken
	}
}

// held lists the shares that memory has.
func (r *Replica) held() []int32 {
	r.Memory.Lock()
	defer r.Memory.Unlock()
	return r.Memory.Held()
}

// noticesThere reports whether there are notices for this replica. It only reads, so that a look
// that finds nothing, as most do, writes nothing.
func (r *Replica) noticesThere(ctx context.Context) (there bool, err error) {
	ids := r.held()
	if len(ids) == 0 {
		return false, nil
	}
	err = r.DB.Read(ctx, sqltx.Frequent, func(b *sqltx.Batch) { r.QueueNoticed(b, ids, &there) })
	return there, err
}

// QueueNoticed adds to a transaction that it looks whether there are notices for shares.
func (r *Replica) QueueNoticed(b *sqltx.Batch, ids []int32, there *bool) {
	b.Queue(r.SQL.Noticed, ids).QueryRow(sqltx.One(there))
}

// takeSome takes some notices, and returns how many deliveries it has looked at. The caller holds
// Keyed.
func (r *Replica) takeSome(ctx context.Context) (n int, err error) {
	// Until memory has them, what is new may be below a low mark that is on its way.
	r.Lowering.Lock()
	defer r.Lowering.Unlock()
	// From before they may be gone from the database: a claim that no longer finds them there must
	// not go by a memory that does not have them yet.
	r.look((*memory.Looks).Begin)
	defer r.look((*memory.Looks).End)
	ids, server := r.held(), r.Server()
	var taken []noticed
	err = sqltx.Retry(func() error {
		return r.DB.Write(ctx, sqltx.Local, func(b *sqltx.Batch) {
			r.QueueLock(b)
			b.Queue(r.SQL.TakeNotices, ids, r.ID, NoticesStep, NoticesStepSize).
				Query(sqltx.Into(&taken, readNoticed))
		})
	})
	if err != nil {
		r.DoubtAfter(err) // they may be gone, and what they said with them
		return 0, err
	}
	return len(taken), r.applyNotices(ctx, server, taken)
}

func (r *Replica) look(note func(*memory.Looks)) {
	r.Memory.Lock()
	defer r.Memory.Unlock()
	note(&r.Memory.Looks)
}

func readNoticed(row pgx.CollectableRow) (n noticed, err error) {
	err = row.Scan(&n.sub, &n.seq, &n.rowless, &n.pending, &n.blocked, &n.due, &n.key)
	return n, err
}

// applyNotices tells memory what was looked at. The notices are gone by now, so if the rest of it
// can't be read memory is in doubt.
func (r *Replica) applyNotices(ctx context.Context, server int, taken []noticed) error {
	// Deliveries first: they need no more reading. What has ended is known before what it frees is
	// sought.
	subs, keys := r.applyDeliveries(server, taken)
	err := r.refresh(ctx, subs)
	if err == nil {
		err = r.unblock(ctx, keys)
	}
	if err != nil {
		r.Memory.Lock()
		r.Memory.Doubt()
		r.Memory.Unlock()
	}
	return err
}

// applyDeliveries tells memory of deliveries. It returns the subscriptions that were changed, and
// the keys of deliveries that have ended.
func (r *Replica) applyDeliveries(server int, taken []noticed) (subs []int64, ended *Keys) {
	ended = new(Keys)
	r.Memory.Lock()
	defer r.Memory.Unlock()
	r.Memory.Since(server)
	now := r.Clock.Now()
	for _, n := range taken {
		d := memory.Delivery{Sub: uint64(n.sub), Seq: uint64(n.seq)}
		switch {
		case n.seq == 0:
			subs = append(subs, n.sub)
			continue
		case n.rowless:
			r.Memory.Feed(d, now)
			continue
		}
		change := memory.Change{Delivery: d, Pending: n.pending, Blocked: n.blocked, Due: n.due}
		r.Memory.Apply(change, now)
		if !n.pending && n.key != nil && *n.key != "" {
			ended.Add(n.sub, *n.key)
		}
	}
	return subs, ended
}

// KeepTakingNotices takes notices whenever somebody tells that there are some, and once in each
// interval, until Life ends.
func (r *Replica) KeepTakingNotices(every time.Duration) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-r.Life.Done():
			return
		case <-ticker.C:
			r.Notify.Wake() // wakings may have been lost: a claim looks for itself now and then
		case <-r.Notify.Told():
		case <-r.stillClosing():
		}
		all, err := r.TakeSomeNotices(r.Life)
		if err == nil {
			err = r.reportDrained(r.Life)
		}
		if err == nil && !all {
			r.Notify.LookAgain()
		}
		if err != nil && r.Life.Err() == nil {
			r.Log("looking at what other replicas have changed", err)
			// Nobody may tell it again, and the poll interval is the host's: it can be hours.
			notify.Pause(r.Life, lookAgainAfter)
			r.Notify.LookAgain()
		}
	}
}

// AfterNotices ends a call that has written notices: this replica looks at its own now, and the
// others are told. It does not fail: what can't be looked at now is as soon as the server can be
// reached.
func (r *Replica) AfterNotices(ctx context.Context) {
	// Also if the caller has left: the change is committed, and must show in what is claimed here.
	if all, err := r.TakeSomeNotices(context.WithoutCancel(ctx)); err != nil || !all {
		r.Notify.LookAgain()
	}
	r.Notify.TellOthers()
}

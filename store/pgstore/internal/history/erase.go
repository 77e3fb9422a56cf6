package history

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/page"
	"github.com/outhook/outhook/store/pgstore/internal/record"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// Bounds of one Erase, so that its time depends neither on what there is of other tenants nor on
// how many recipients an event has.
const (
	eraseLook       = 10_000 // events that it looks at
	eraseDeliveries = 5_000  // of the events that it erases, unless it is one alone
)

// Erase takes a step of an erasure. The caller has validated the query.
//
// The events lose their bodies in one transaction, in which they are also noted as erasures. From
// its commit on no statement returns what they carried, and none takes their deliveries for
// pending. That their deliveries have ended is then written in short transactions: an event may
// have ten thousand, and one transaction over all would hold their rows for seconds.
func (h *History) Erase(ctx context.Context, q store.EraseQuery) (n int, next string, err error) {
	if err := h.requireSettled(ctx, q.Tenant); err != nil {
		return 0, "", err
	}
	seqs, next, err := h.erasable(ctx, q)
	if err != nil || len(seqs) == 0 {
		return 0, next, err
	}
	// It may meet a Finish of the same events, which locks rows of its own.
	err = sqltx.Retry(func() error {
		return h.DB.Write(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
			h.QueueSettled(b, record.Plain(q.Tenant))
			b.Queue(h.SQL.Erase, seqs).QueryRow(sqltx.One(&n))
		})
	})
	// Nothing was changed, so there is nothing to tell: others have erased them before.
	if err != nil || n == 0 {
		return 0, next, err
	}
	// Claims of this replica must not go on with them while their deliveries are told in steps.
	h.bar(seqs)
	defer h.unbar(seqs)
	// An error here does not undo the erasure: n counts what is erased, and Prune tells the rest.
	for _, seq := range seqs {
		if err := h.endErased(ctx, seq); err != nil {
			return n, next, err
		}
	}
	return n, next, nil
}

// erasable returns the events that the step is to erase, and the cursor for the next step. A step
// looks at a bounded number of events, of which some may be erased already. So it may return a
// cursor and no events.
func (h *History) erasable(
	ctx context.Context, q store.EraseQuery,
) (seqs []int64, next string, err error) {
	if q.EventID != "" {
		var seq int64
		err := h.DB.Row(ctx, h.SQL.ErasableOne, record.Plain(q.Tenant), record.Plain(q.EventID))(&seq)
		if errors.Is(err, pgx.ErrNoRows) {
			err = store.ErrNotFound
		}
		// A single event is erased with any number of recipients.
		return []int64{seq}, "", err
	}
	from, err := page.Parse(q.Cursor)
	if err != nil {
		return nil, "", err
	}
	var following *int64
	err = h.DB.Read(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
		b.Queue(h.SQL.Erasable, record.Plain(q.Tenant), int64(from.At.Num), page.Limit(q.Limit),
			eraseLook, eraseDeliveries).QueryRow(sqltx.One(&seqs, &following))
	})
	if following != nil {
		next = page.Cursor{At: page.Position{Num: uint64(*following)}}.String()
	}
	return seqs, next, err
}

// eraseSlice is how many deliveries of an erased event are told so in one transaction.
const eraseSlice = 2000

// endErased tells the deliveries of an erased event that they are over, in short transactions. If
// it is interrupted, Prune goes on with it. Each step begins after the subscription that the last
// one has noted.
func (h *History) endErased(ctx context.Context, seq int64) error {
	for {
		if count, err := h.eraseStep(ctx, seq); err != nil || count == 0 {
			return err
		}
	}
}

// It returns how many deliveries it has looked at; 0 says that the erasure was over and is removed.
func (h *History) eraseStep(ctx context.Context, seq int64) (count int, err error) {
	err = sqltx.Retry(func() error {
		return h.DB.Write(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
			b.Queue(h.SQL.EraseStep, seq, eraseSlice).QueryRow(sqltx.One(&count))
		})
	})
	if err != nil {
		return 0, err
	}
	// After each step, so that memory does not fall behind: its deliveries would be chosen and
	// given up again and again.
	h.AfterNotices(ctx)
	return count, nil
}

// resumeErasure takes a step of an erasure that is not over. It may be left from a process that has
// ended, or belong to an Erase that goes on right now: the steps of both repeat work at most.
func (h *History) resumeErasure(ctx context.Context) (more bool, err error) {
	var seq int64
	err = h.DB.Row(ctx, h.SQL.Erasing)(&seq)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	_, err = h.eraseStep(ctx, seq)
	return true, err
}

// bar keeps deliveries of events from being claimed here, before it is known of each that it is
// over. The bar ends the leases of the event too: their outcomes are then late, and only a success
// counts. A Claim in another replica finds by itself that the event is erased, as it reads the
// event.
func (h *History) bar(seqs []int64) {
	h.Memory.Lock()
	defer h.Memory.Unlock()
	for _, seq := range seqs {
		h.Memory.Schedule.Bar(uint64(seq), h.Clock.Now())
	}
}

// Each of its deliveries was changed by a notice before; after an error, a Claim looks at each.
func (h *History) unbar(seqs []int64) {
	h.Memory.Lock()
	defer h.Memory.Unlock()
	for _, seq := range seqs {
		h.Memory.Schedule.Unbar(uint64(seq))
	}
}

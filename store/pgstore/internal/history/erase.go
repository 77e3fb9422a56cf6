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
func (h *History) Erase(ctx context.Context, q store.EraseQuery) (n int, next string, err error) {
	seqs, next, err := h.erasable(ctx, q)
	if err != nil || len(seqs) == 0 {
		return 0, next, err
	}
	err = sqltx.Retry(func() error {
		return h.DB.Write(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
			b.Queue(h.SQL.Erase, seqs).QueryRow(sqltx.One(&n))
		})
	})
	if err != nil || n == 0 {
		return 0, next, err
	}
	// Claims of this replica must not go on with them while their deliveries are told in steps.
	h.bar(seqs)
	defer h.unbar(seqs)
	for _, seq := range seqs {
		if err := h.endErased(ctx, seq); err != nil {
			return n, next, err
		}
	}
	return n, next, nil
}

// erasable returns the events that the step is to erase, and the cursor for the next step.
func (h *History) erasable(
	ctx context.Context, q store.EraseQuery,
) (seqs []int64, next string, err error) {
	if q.EventID != "" {
		var seq int64
		err := h.DB.Row(ctx, h.SQL.ErasableOne, record.Plain(q.EventID))(&seq)
		if errors.Is(err, pgx.ErrNoRows) {
			err = store.ErrNotFound
		}
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
// it is interrupted, Prune goes on with it.
func (h *History) endErased(ctx context.Context, seq int64) error {
	for {
		if count, err := h.eraseStep(ctx, seq); err != nil || count == 0 {
			return err
		}
	}
}

func (h *History) eraseStep(ctx context.Context, seq int64) (count int, err error) {
	err = sqltx.Retry(func() error {
		return h.DB.Write(ctx, sqltx.ByIndex, func(b *sqltx.Batch) {
			b.Queue(h.SQL.EraseStep, seq, eraseSlice).QueryRow(sqltx.One(&count))
		})
	})
	if err != nil {
		return 0, err
	}
	h.AfterNotices(ctx)
	return count, nil
}

// resumeErasure takes a step of an erasure that is not over.
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
// over.
func (h *History) bar(seqs []int64) {
	h.Memory.Lock()
	defer h.Memory.Unlock()
	for _, seq := range seqs {
		h.Memory.Schedule.Bar(uint64(seq), h.Clock.Now())
	}
}

func (h *History) unbar(seqs []int64) {
	h.Memory.Lock()
	defer h.Memory.Unlock()
	for _, seq := range seqs {
		h.Memory.Schedule.Unbar(uint64(seq))
	}
}

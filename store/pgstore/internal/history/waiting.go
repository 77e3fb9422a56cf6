package history

import (
	"context"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule"
	"github.com/outhook/outhook/store/pgstore/internal/memory"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// explain says of the pending ones of some deliveries what they wait for. Of a subscription that
// this replica delivers the schedule knows it. Of another, which is read in one more round trip,
// the rows say it: neither leases nor the pauses of another replica are in them.
func (h *History) explain(ctx context.Context, items []listed) error {
	unknown := h.explainWith(items, nil)
	if len(unknown) == 0 {
		return nil
	}
	states := make(replica.States)
	err := h.DB.Read(ctx, sqltx.ByIndex, func(b *sqltx.Batch) { h.QueueStates(b, unknown, states) })
	if err != nil {
		return err
	}
	h.explainWith(items, states)
	return nil
}

// explainWith is explain with what was read of subscriptions. It returns those that memory does not
// know and that were not read. One that is not among those read was deleted meanwhile.
func (h *History) explainWith(items []listed, read replica.States) (unknown []int64) {
	h.Memory.Lock()
	defer h.Memory.Unlock()
	now := h.Clock.Now()
	for i := range items {
		d := &items[i]
		if d.State != store.Pending {
			continue
		}
		w := schedule.Waiting{
			Position: memory.PositionOf(d.place, uint64(d.seq)), Blocked: d.behind,
		}
		var health *store.Health
		q, st := h.Memory.Schedule.Sub(uint64(d.sub)), read[d.sub]
		switch {
		case q != nil && q.Known() && q.Data.Sub != nil:
			w.Withheld = q.Data.Withheld()
		case read == nil:
			unknown = append(unknown, d.sub)
			continue
		case st != nil:
			health, w.Withheld = &st.Health, st.Withheld()
		}
		why, until := h.Memory.Schedule.Why(uint64(d.sub), w, health, now)
		if d.Wait = why; until != 0 {
			d.WaitUntil = time.Unix(0, until).UTC()
		}
	}
	return unknown
}

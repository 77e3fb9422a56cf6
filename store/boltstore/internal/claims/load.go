package claims

import (
	"context"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/memory"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/internal/hostport"
	"github.com/outhook/outhook/store/internal/order"
	"github.com/outhook/outhook/store/internal/schedule"
)

// load reads what the schedule lacks, in one transaction, and hands it over. The mutex is not held
// over the reading: what changes meanwhile, the schedule remembers. After an error every lack is
// answered all the same, by the zero Loaded, which ends its load.
func (c *Claimer) load(ctx context.Context, lacks []schedule.Lack) error {
	loaded := make([]schedule.Loaded, len(lacks))
	subs := make([]*store.Subscription, len(lacks))
	err := c.db.Read(ctx, func(t *txn.Tx) error {
		for i := range lacks {
			sub, l, err := loadOne(t, &lacks[i])
			if err != nil {
				return err
			}
			subs[i], loaded[i] = sub, l
		}
		return nil
	})
	now := c.db.Now()
	c.db.Lock()
	defer c.db.Unlock()
	for i := range lacks {
		if err != nil {
			loaded[i] = schedule.Loaded{}
		}
		// The record goes with the state: a version that is older than what memory has been told is
		// not taken.
		if q := c.db.Memory.Schedule.Load(&lacks[i], loaded[i], now); q != nil {
			c.db.Memory.SetRecord(q, subs[i])
		}
		// Who has come so far in its chunks may have passed some that can go.
		if q := c.db.Memory.Schedule.Sub(lacks[i].Num); q != nil &&
			lacks[i].Windows[order.Packed].Needed {
			c.db.Memory.Trim(q)
		}
	}
	return err
}

// loadOne reads what the schedule lacks of one subscription. A subscription that can't be read is
// nil: its deliveries die when they are claimed.
func loadOne(
	t *txn.Tx, lack *schedule.Lack,
) (sub *store.Subscription, l schedule.Loaded, err error) {
	if lack.State {
		if sub, err = t.Subs.Get(lack.Num); err != nil {
			sub = nil
		}
		l.State = &schedule.State{Active: memory.Active(sub), Health: t.Subs.Health(lack.Num)}
		if sub != nil {
			closed, err := t.IsClosed(sub.Tenant)
			if err != nil {
				return nil, l, err
			}
			l.State.Active = l.State.Active && !closed
			l.State.Tenant, l.State.Host = sub.Tenant, hostport.Of(sub.URL)
		}
	}
	for source := range lack.Windows {
		w := &lack.Windows[source]
		if !w.Needed {
			continue
		}
		// A probe takes the newest first attempt, which may lie beyond the window.
		if w.Newest {
			newest := t.Pending.Newest(lack.Num, order.Source(source))
			l.Windows[source] = schedule.LoadedWindow{OK: true, Positions: newest}
			continue
		}
		l.Windows[source], err = t.Pending.Window(lack.Num, order.Source(source), w.After)
		if err != nil {
			return nil, l, err
		}
	}
	return sub, l, nil
}

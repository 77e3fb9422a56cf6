package tenants

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/pgstore/internal/notify"
	"github.com/outhook/outhook/store/pgstore/internal/replica"
	"github.com/outhook/outhook/store/pgstore/internal/sqltx"
)

// Tenants moves tenants. It is safe for concurrent use, and keeps nothing in memory.
type Tenants struct{ *replica.Replica }

// States returns the tenants that are not settled.
func (t *Tenants) States(ctx context.Context) (map[string]store.TenantState, error) {
	states := make(map[string]store.TenantState)
	var tenant string
	var phase int16
	var peer int32
	err := t.DB.Rows(ctx, sqltx.Each([]any{&tenant, &phase, &peer}, func() {
		states[tenant] = store.TenantState{Phase: store.TenantPhase(phase), Peer: int(peer)}
	}), t.SQL.TenantStates)
	return states, err
}

// SetState sets the state of a tenant. When a tenant is closed it waits for the transactions under
// way that may have found it settled, also if it was closed before: an earlier call may not have
// waited to the end.
func (t *Tenants) SetState(ctx context.Context, tenant string, st store.TenantState) error {
	if st.Phase == store.TenantSettled {
		return t.settle(ctx, tenant)
	}
	// The order matters: who looks after the commit finds the tenant closed, and who has looked
	// before holds a lock that is listed after it.
	for _, step := range []func(context.Context, string) error{
		func(ctx context.Context, tenant string) error {
			return t.write(ctx, t.SQL.UnsettleTenant, tenant, int16(st.Phase), int32(st.Peer))
		},
		t.noteClosed,
		t.awaitWriters,
		// After they have ended, as they may have created subscriptions.
		func(ctx context.Context, tenant string) error {
			return t.write(ctx, t.SQL.CloseTenant, tenant)
		},
	} {
		if err := step(ctx, tenant); err != nil {
			return replica.InputError("tenant", err)
		}
	}
	t.Notify.TellOthers()
	return t.TakeNotices(ctx)
}

func (t *Tenants) write(ctx context.Context, sql string, args ...any) error {
	return sqltx.Retry(func() error {
		return t.DB.Write(ctx, sqltx.ByIndex, func(b *sqltx.Batch) { b.Queue(sql, args...) })
	})
}

// settle opens a tenant. Nobody need be waited for: who still finds it closed tries again.
func (t *Tenants) settle(ctx context.Context, tenant string) error {
	if err := t.write(ctx, t.SQL.SettleTenant, tenant); err != nil {
		return replica.InputError("tenant", err)
	}
	t.AfterNotices(ctx)
	return nil
}

// noteClosed has transactions of hosts that have begun before now, and see what was then, try
// again.
func (t *Tenants) noteClosed(ctx context.Context, _ string) error {
	return t.write(ctx, t.SQL.TenantClosed, t.Schema.Table("tenant_closed_at"))
}

const (
	writersPoll  = 5 * time.Millisecond
	writersSlow  = 200 * time.Millisecond
	writersLimit = sqltx.StatementTimeout
)

// errWriters says why a tenant could not be closed.
var errWriters = fmt.Errorf("a transaction that has published for the tenant is still open after "+
	"%v; try again when the host has ended it", writersLimit)

// awaitWriters waits until the transactions have ended that hold a lock now. It asks who holds one,
// and does not wait for the lock itself: everybody else would wait behind it.
func (t *Tenants) awaitWriters(ctx context.Context, tenant string) error {
	ctx, cancel := context.WithTimeoutCause(ctx, writersLimit, errWriters)
	defer cancel()
	locks := []int64{t.Writers(), t.TenantLock(tenant)}
	before, err := t.holders(ctx, locks)
	for wait := writersPoll; err == nil && len(before) > 0; wait = min(2*wait, writersSlow) {
		notify.Pause(ctx, wait)
		var now []string
		if now, err = t.holders(ctx, locks); err == nil {
			before = slices.DeleteFunc(before, func(tx string) bool {
				return !slices.Contains(now, tx)
			})
		}
	}
	if err != nil && errors.Is(context.Cause(ctx), errWriters) {
		return errWriters
	}
	return err
}

// holders returns the transactions that hold any of some locks.
func (t *Tenants) holders(ctx context.Context, locks []int64) (held []string, err error) {
	err = t.DB.Rows(ctx, sqltx.Into(&held, pgx.RowTo[string]), t.SQL.LockHolders, locks)
	return held, err
}

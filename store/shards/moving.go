package shards

import (
	"context"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
)

// MovingError says that a tenant is being moved and nothing of it can be changed meanwhile. Trying
// again is safe, and succeeds when the move has ended. It is a [store.ErrMoved] to errors.Is.
type MovingError struct {
	Tenant   string
	From, To int // the stores, counted from 0
}

func (e *MovingError) Error() string {
	return fmt.Sprintf("shards: tenant %q is being moved from store %d to %d; try again, "+
		"and call Move again if the host ended while it moved the tenant", e.Tenant, e.From, e.To)
}

// Unwrap returns [store.ErrMoved].
func (e *MovingError) Unwrap() error { return store.ErrMoved }

// moveWait is how long a call waits for the end of a move by this Store. Most tenants are copied in
// less, and then nobody notices the move; a caller over HTTP would not wait much longer.
const moveWait = 2 * time.Second

// waitForMove waits while a Move of this Store has a tenant closed.
func (h *homes) waitForMove(ctx context.Context, tenant string) error {
	ended := h.closed(tenant)
	if ended == nil {
		return nil
	}
	timer := time.NewTimer(moveWait)
	defer timer.Stop()
	select { // whatever comes first, the caller looks where the tenant is
	case <-ended:
	case <-timer.C: // the states say between which stores it is
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

package shards

import (
	"fmt"
	"sync"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// TestStatesBesidesAMove asks a shard what it says of tenants while a Move notes what it has told
// the shard. It is for the race detector. It is inside the package because from outside both are
// too rarely at it together.
func TestStatesBesidesAMove(t *testing.T) {
	sh := &shard{Store: memstore.New()}
	h := &homes{shards: []*shard{sh}, where: new(locations)}
	var working sync.WaitGroup
	for range 2 {
		working.Go(func() {
			for range 3000 {
				h.outdated(sh)
				if _, err := h.stateAt(t.Context(), sh, "moved"); err != nil {
					t.Error(fmt.Errorf("stateAt: %w", err))
					return
				}
			}
		})
	}
	asked := make(chan struct{})
	go func() {
		working.Wait()
		close(asked)
	}()
	for {
		h.set(sh, "moved", store.TenantState{Phase: store.TenantArriving})
		select {
		case <-asked:
			return
		default:
		}
	}
}

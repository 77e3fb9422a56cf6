package shards

import (
	"sync"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/schedule"
)

// hostPause is for how long a subscription is not claimed whose host has all that PerHost allows,
// in several shards together.
const hostPause = 100 * time.Millisecond

// hosts counts what was handed out by the host that it goes to. A shard keeps PerHost among its own
// deliveries, and does not know of those of the others.
type hosts struct {
	mu     sync.Mutex // guards all below
	leases map[store.Lease]hostLease
}

type hostLease struct {
	host  string
	shard int
	until time.Time
}

// add counts a claim, unless others go to its host from other shards too and it would be one more
// than limit with them.
func (h *hosts) add(sh *shard, cl *store.Claim, limit int, lease time.Duration) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	now := time.Now()
	host := schedule.HostOf(cl.Subscription.URL)
	all, others := 0, 0
	for of, l := range h.leases { // as many as attempts are under way
		switch {
		case now.After(l.until):
			delete(h.leases, of)
		case l.host == host:
			all++
			if l.shard != sh.index {
				others++
			}
		}
	}
	if others > 0 && all >= limit {
		return false
	}
	if h.leases == nil {
		h.leases = make(map[store.Lease]hostLease)
	}
	h.leases[cl.Lease] = hostLease{host, sh.index, now.Add(lease)}
	return true
}

// end says that a lease has ended.
func (h *hosts) end(l store.Lease) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.leases, l)
}

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

// leases are the claims that were handed out and have not come back. They say which shard an
// outcome goes to without a question to any, and how many attempts go to each host: a shard keeps
// PerHost among its own deliveries, and does not know of those of the others.
type leases struct {
	mu      sync.Mutex // guards all below
	running map[store.Lease]handedOut
	hosts   map[string]map[*shard]int // how many go to each, if PerHost is set
	sweepAt time.Time                 // when what nobody has ended is looked for
}

type handedOut struct {
	sh    *shard
	host  string // empty if it does not count
	until time.Time
}

// add counts a claim, unless others go to its host from other shards too and it would be one more
// than perHost with them.
func (ls *leases) add(sh *shard, cl *store.Claim, perHost int, lease time.Duration) bool {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	now, host := time.Now(), ""
	if perHost > 0 {
		host = schedule.HostOf(cl.Subscription.URL)
	}
	isFull := ls.isFull(host, sh, perHost)
	if isFull || now.After(ls.sweepAt) {
		ls.sweep(now)
		ls.sweepAt = now.Add(lease)
	}
	if isFull && ls.isFull(host, sh, perHost) {
		return false
	}
	if ls.running == nil {
		ls.running = make(map[store.Lease]handedOut)
		ls.hosts = make(map[string]map[*shard]int)
	}
	ls.running[cl.Lease] = handedOut{sh, host, now.Add(lease)}
	if host != "" {
		if ls.hosts[host] == nil {
			ls.hosts[host] = make(map[*shard]int)
		}
		ls.hosts[host][sh]++
	}
	return true
}

// isFull reports whether so many go to a host, from other shards too, that none may be added. mu is
// held.
func (ls *leases) isFull(host string, sh *shard, perHost int) bool {
	if host == "" {
		return false
	}
	all := 0
	for _, n := range ls.hosts[host] {
		all += n
	}
	return all > ls.hosts[host][sh] && all >= perHost
}

// count returns how many there are. Those that have run out may be among them.
func (ls *leases) count() int {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	return len(ls.running)
}

// shard returns the shard of a lease that runs; nil if it is not known, or has run out. Then the
// delivery may be elsewhere by now.
func (ls *leases) shard(l store.Lease) *shard {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if is, ok := ls.running[l]; ok && time.Now().Before(is.until) {
		return is.sh
	}
	return nil
}

// end says that a lease has ended.
func (ls *leases) end(l store.Lease) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.remove(l)
}

// sweep removes what has run out: its caller may never end it. mu is held.
func (ls *leases) sweep(now time.Time) {
	for l, is := range ls.running {
		if now.After(is.until) {
			ls.remove(l)
		}
	}
}

// remove is end. mu is held.
func (ls *leases) remove(l store.Lease) {
	is, ok := ls.running[l]
	if !ok {
		return
	}
	delete(ls.running, l)
	if is.host == "" {
		return
	}
	byShard := ls.hosts[is.host]
	if byShard[is.sh]--; byShard[is.sh] == 0 {
		delete(byShard, is.sh)
	}
	if len(byShard) == 0 {
		delete(ls.hosts, is.host)
	}
}

package claims

import (
	"sync"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/hostport"
)

// leases are the claims that were handed out and have not come back. They say which store an
// outcome goes to without a question to any, and how many attempts go to each host: a store keeps
// PerHost among its own deliveries, and does not know of those of the others.
type leases struct {
	mu      sync.Mutex // guards all below
	running map[store.Lease]handedOut
	hosts   map[string]map[int]int // how many go to each, by the store, if PerHost is set
	sweepAt time.Time              // when what nobody has ended is looked for
}

type handedOut struct {
	from  int    // the store
	host  string // empty if it does not count
	until time.Time
}

// add counts a claim, unless others go to its host from other stores too and it would be one more
// than perHost with them.
func (ls *leases) add(from int, cl *store.Claim, perHost int, lease time.Duration) bool {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	now, host := time.Now(), ""
	if perHost > 0 {
		host = hostport.Of(cl.Subscription.URL)
	}
	isFull := ls.isFull(host, from, perHost)
	// Once a lease, or else each claim would go through all; and before a host counts as full, as
	// what has run out would keep its room.
	if isFull || now.After(ls.sweepAt) {
		ls.sweep(now)
		ls.sweepAt = now.Add(lease)
	}
	if isFull && ls.isFull(host, from, perHost) {
		return false
	}
	if ls.running == nil {
		ls.running = make(map[store.Lease]handedOut)
		ls.hosts = make(map[string]map[int]int)
	}
	ls.running[cl.Lease] = handedOut{from, host, now.Add(lease)}
	if host != "" {
		if ls.hosts[host] == nil {
			ls.hosts[host] = make(map[int]int)
		}
		ls.hosts[host][from]++
	}
	return true
}

// isFull reports whether so many go to a host, from other stores too, that none may be added. mu is
// held.
func (ls *leases) isFull(host string, from int, perHost int) bool {
	if host == "" {
		return false
	}
	// While all are of this store, it keeps PerHost itself, and must not be asked to keep it twice:
	// it may count a lease as ended of which nobody has told us.
	all := 0
	for _, n := range ls.hosts[host] {
		all += n
	}
	return all > ls.hosts[host][from] && all >= perHost
}

// count returns how many there are. Those that have run out may be among them.
func (ls *leases) count() int {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	return len(ls.running)
}

// storeOf returns the store of a lease that runs; ok is false if it is not known, or has run out.
// Then the delivery may be elsewhere by now.
func (ls *leases) storeOf(l store.Lease) (from int, ok bool) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	if is, ok := ls.running[l]; ok && time.Now().Before(is.until) {
		return is.from, true
	}
	return 0, false
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
	byStore := ls.hosts[is.host]
	if byStore[is.from]--; byStore[is.from] == 0 {
		delete(byStore, is.from)
	}
	if len(byStore) == 0 {
		delete(ls.hosts, is.host)
	}
}

package rollup

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/outhook/outhook/store"
)

// Options are what a [Buffer] goes by. The zero value is for a store that has nothing but memory.
type Options struct {
	// Flush writes what is counted: it calls Take, and Confirm or Fail. It is called in a goroutine
	// of its own, never twice at a time. If nil, nothing is ever written.
	Flush func()

	// Delay is how long counts may be in memory alone before Flush is called.
	Delay time.Duration

	// MaxUnwritten is how many buckets may be in memory alone; with more, Flush is called at once.
	MaxUnwritten int

	// MaxKept is how many buckets stay in memory when they have been written, to be written again,
	// as a whole, in place of what was written of them. If zero, none stays, and a store adds what
	// it takes to what it has.
	MaxKept int
}

// Key names a bucket of a subscription.
type Key struct {
	Sub uint64
	At  int64 // its number, see [At]
}

// Row is a bucket as it is to be written.
type Row struct {
	Key
	Writer int64   // with MaxKept: whose row it is; no two buckets of the same Key share it
	Counts *Bucket // not to be changed, and valid until Take, Confirm or Fail is called next
}

// Buffer has the counts that a store has not written yet. Make one with [NewBuffer]. It is safe for
// concurrent use, and calls nothing while it holds its lock.
//
// Counts are written in batches, one at a time. Take begins a batch, Confirm ends it when it has
// been written. While a batch is under way, and when it has failed, its counts stay in memory; the
// next batch has them too. A store that does not know whether a batch was written must keep buckets
// (MaxKept), because writing one again as a whole does no harm, and adding it again would.
type Buffer struct {
	o Options

	mu        sync.Mutex
	subs      map[uint64]map[int64]*entry
	size      int
	unwritten int    // entries that are dirty
	writer    int64  // of the next entries
	version   uint64 // of the batch under way, 0 if none is
	confirmed uint64 // of the last batch whose counts are in memory no more

	timer    *time.Timer
	armed    bool // Flush is going to be called
	failed   bool // the last batch has: being full is no reason to hurry then
	flushing bool
	stopped  bool
	idle     sync.Cond // signals that flushing has become false
}

// entry is a bucket in memory. What it counts is in two parts: taken is what the last batch had of
// it, fresh what has come since.
type entry struct {
	taken, fresh Bucket
	writer       int64
	dirty        bool // not all of it has been written
	underWay     bool // the batch under way has it
}

// NewBuffer returns an empty Buffer.
func NewBuffer(o Options) *Buffer {
	b := &Buffer{o: o, subs: make(map[uint64]map[int64]*entry), writer: rand.Int64()}
	b.idle.L = &b.mu
	return b
}

// Add counts an attempt of a subscription that was recorded at a moment. delivered says whether it
// succeeded. Buckets of the same subscription that are older by Kept are dropped, and those that
// are older by more than an hour forget the minutes: they are in no figures by the minute.
func (b *Buffer) Add(sub uint64, at time.Time, a *store.Attempt, delivered bool) {
	k := Key{sub, At(at)}
	b.mu.Lock()
	defer b.mu.Unlock()
	buckets := b.subs[k.Sub]
	if buckets == nil {
		buckets = make(map[int64]*entry)
		b.subs[k.Sub] = buckets
	}
	e := buckets[k.At]
	if e == nil {
		// A new bucket is the time to drop old ones: once in five minutes, and only of a
		// subscription that has attempts. A bucket under way stays, as Confirm or Fail will look
		// for it.
		for at, old := range buckets {
			switch {
			case old.underWay:
			case at < k.At-int64(Kept/Length):
				b.drop(Key{k.Sub, at}, old)
			case at < k.At-int64(Hour/Length)-1:
				old.taken.flatten()
				old.fresh.flatten()
			}
		}
		e = &entry{writer: b.writer}
		buckets[k.At] = e
		b.subs[k.Sub] = buckets // or else dropping the last one has removed it
		b.size++
	}
	e.fresh.Add(at, a, delivered)
	if !e.dirty {
		e.dirty = true
		b.unwritten++
	}
	b.arm()
}

// drop removes an entry. The lock must be held.
func (b *Buffer) drop(k Key, e *entry) {
	if e.dirty {
		b.unwritten--
	}
	b.size--
	delete(b.subs[k.Sub], k.At)
	if len(b.subs[k.Sub]) == 0 {
		delete(b.subs, k.Sub)
	}
	// The bucket may come again, and must not take the place of what was written of it.
	b.writer = rand.Int64()
}

// Drop removes what is counted of a subscription that is deleted.
func (b *Buffer) Drop(sub uint64) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for at, e := range b.subs[sub] {
		b.drop(Key{sub, at}, e)
	}
}

// Full reports whether there is more to be written than may be in memory.
func (b *Buffer) Full() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.unwritten > b.o.MaxUnwritten
}

// Len returns how many buckets are in memory, and how many of them are to be written.
func (b *Buffer) Len() (all, unwritten int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.size, b.unwritten
}

// Take begins a batch of all that is to be written, ordered by the number of the bucket and then by
// subscription. It is empty if there is nothing. version is higher than that of any batch written
// before. The store writes it along, so a snapshot of the store with this version or a later one
// has the batch. See Missing; for a store that does not call it, the version may be 1 each time.
func (b *Buffer) Take(version uint64) (rows []Row) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.version = 0
	b.each(func(k Key, e *entry) {
		e.underWay = e.dirty // also what a batch had that has failed
		if !e.dirty {
			return
		}
		// What is counted from now on goes into fresh, so that taken is what the batch has.
		e.taken.Merge(&e.fresh)
		e.fresh = Bucket{}
		rows = append(rows, Row{k, e.writer, &e.taken})
	})
	if len(rows) > 0 {
		b.version = version
	}
	slices.SortFunc(rows, func(a, b Row) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Sub, b.Sub))
	})
	return rows
}

// Confirm ends the batch under way: it has been written.
func (b *Buffer) Confirm() {
	b.mu.Lock()
	defer b.mu.Unlock()
	latest := int64(math.MinInt64) // the bucket that is still filling, most likely
	b.each(func(k Key, e *entry) {
		if !e.underWay {
			return
		}
		latest = max(latest, k.At)
		e.underWay = false
		if e.fresh.empty() {
			e.dirty = false
			b.unwritten--
		}
		if b.o.MaxKept == 0 {
			e.taken = Bucket{} // the store adds, and must not be given it again
		}
	})
	if b.o.MaxKept == 0 && b.version != 0 {
		b.confirmed = b.version
	}
	b.version = 0
	b.failed = false
	// Past buckets are not written again, so they need not stay; with too many, none stays.
	many := b.size > b.o.MaxKept
	b.each(func(k Key, e *entry) {
		if !e.dirty && (many || k.At < latest) {
			b.drop(k, e)
		}
	})
}

// Fail ends the batch under way: it has not been written, or it is not known. The next batch has
// what it had.
func (b *Buffer) Fail() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.version, b.failed = 0, true
	// The entries are dirty still, and taken still has what the batch had.
	b.each(func(_ Key, e *entry) { e.underWay = false })
	b.arm()
}

// each calls f for each entry. f may drop it. The lock must be held.
func (b *Buffer) each(f func(Key, *entry)) {
	for sub, buckets := range b.subs {
		for at, e := range buckets {
			f(Key{sub, at}, e)
		}
	}
}

// Of calls f for each bucket of a subscription that is in memory, written ones included, with all
// that it counts. A store that keeps buckets must read what it has written only afterwards, and
// leave out the rows of the same Writer.
func (b *Buffer) Of(sub uint64, f func(Row)) {
	for _, row := range b.copies(sub) {
		f(row)
	}
}

// copies returns the buckets of a subscription, so that Of calls f without the lock.
func (b *Buffer) copies(sub uint64) (rows []Row) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for at, e := range b.subs[sub] {
		sum := new(Bucket)
		sum.Merge(&e.taken)
		sum.Merge(&e.fresh)
		rows = append(rows, Row{Key{sub, at}, e.writer, sum})
	}
	return rows
}

// Sums adds up buckets: a [Window] or a [Series].
type Sums interface {
	// Add adds a bucket with its number, which it may pass over.
	Add(at int64, b *Bucket)
}

// Missing adds to w what is counted of some subscriptions and is not in a snapshot of the store,
// given the version of the last batch that the snapshot has. Instead of [All] it takes each that it
// has. It adds nothing and is false if the snapshot is too old: it lacks counts that are in memory
// no more, so the caller takes a newer one.
func (b *Buffer) Missing(version uint64, w Sums, subs ...uint64) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if version < b.confirmed {
		return false
	}
	for _, sub := range subs {
		if sub != All {
			b.missing(version, w, b.subs[sub])
			continue
		}
		for _, buckets := range b.subs {
			b.missing(version, w, buckets)
		}
	}
	return true
}

// missing is Missing for the buckets of a subscription. The lock must be held.
func (b *Buffer) missing(version uint64, w Sums, buckets map[int64]*entry) {
	// the batch under way, as far as the snapshot goes
	written := b.version != 0 && version >= b.version
	for at, e := range buckets {
		if !e.underWay || !written {
			w.Add(at, &e.taken)
		}
		w.Add(at, &e.fresh)
	}
}

// arm has Flush called in time, if there is something to write. The lock must be held. After a
// batch that failed it waits for Delay though the buffer is full: a store in trouble must not be
// called again and again.
func (b *Buffer) arm() {
	full := b.unwritten > b.o.MaxUnwritten && !b.failed
	if b.o.Flush == nil || b.stopped || b.flushing || b.unwritten == 0 || b.armed && !full {
		return // what comes while it is called is seen to when it returns
	}
	delay := b.o.Delay
	if full {
		delay = 0
	}
	if b.timer == nil {
		b.timer = time.AfterFunc(delay, b.flush)
	} else {
		b.timer.Reset(delay)
	}
	b.armed = true
}

// flush calls Flush if there is something to write. A timer that was reset while it fired may call
// it twice, hence flushing.
func (b *Buffer) flush() {
	b.mu.Lock()
	b.armed = false
	if b.stopped || b.flushing || b.unwritten == 0 {
		b.mu.Unlock()
		return
	}
	b.flushing = true
	b.mu.Unlock()
	b.o.Flush()
	b.mu.Lock()
	defer b.mu.Unlock()
	b.flushing = false
	b.idle.Broadcast()
	b.arm()
}

// Stop ends the calls of Flush: it returns when the last one has returned. What is counted stays in
// memory for a last Take.
func (b *Buffer) Stop() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.stopped = true
	if b.timer != nil {
		b.timer.Stop()
	}
	for b.flushing {
		b.idle.Wait()
	}
}

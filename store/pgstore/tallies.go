package pgstore

import (
	"math"
	"math/rand/v2"
	"sync"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
)

const (
	tallyEvery = 10 * time.Second
	maxDirty   = 1024 // slots that are not written, before they are written at once
	maxTallied = 4096 // slots in memory, before those that are written are let go
)

// tallies count the attempts that this replica records, in slots of five minutes by the server's clock. Each slot has a
// row that nobody else writes, which is written now and then with all that was counted so far.
type tallies struct {
	once  sync.Once     // starts what writes them
	every time.Duration // how long counts may wait to be written
	dirty chan struct{} // one slot: there is something to write
	full  chan struct{} // one slot: it must be written now

	mu    sync.Mutex // guards all below
	slots map[tallied]*tallySlot
	fresh int // how many of them are not written as they are

	// writer is whose rows the next slots are. It is another one as soon as slots have been let go, as those may come again
	// and must not take the place of what was written of them.
	writer int64
}

// tallied names a slot of a subscription.
type tallied struct{ sub, slot int64 }

// tallySlot is what was counted in a slot.
type tallySlot struct {
	rollup.Bucket
	writer  int64
	written bool // as it is
}

// tallyRow is a slot as it is written.
type tallyRow struct {
	tallied
	writer int64
	counts []byte
}

func newTallies() tallies {
	return tallies{
		every:  tallyEvery,
		dirty:  make(chan struct{}, 1),
		full:   make(chan struct{}, 1),
		slots:  make(map[tallied]*tallySlot),
		writer: rand.Int64(),
	}
}

// add counts an attempt at a time of the server's, in nanoseconds since 1970.
func (t *tallies) add(sub, now int64, a *store.Attempt, ok bool) {
	at := tallied{sub, rollup.At(time.Unix(0, now))}
	t.mu.Lock()
	defer t.mu.Unlock()
	slot := t.slots[at]
	if slot == nil {
		slot = &tallySlot{writer: t.writer, written: true}
		t.slots[at] = slot
	}
	if slot.written {
		slot.written = false
		t.fresh++
	}
	slot.Add(a, ok)
	fill(t.dirty)
	if t.fresh > maxDirty {
		fill(t.full)
	}
}

// unwritten returns what is to be written. Until wrote is called it must not be again.
func (t *tallies) unwritten() []tallyRow {
	t.mu.Lock()
	defer t.mu.Unlock()
	rows := make([]tallyRow, 0, t.fresh)
	for at, slot := range t.slots {
		if !slot.written {
			rows = append(rows, tallyRow{at, slot.writer, slot.Append(nil)})
			slot.written = true
		}
	}
	t.fresh = 0
	return rows
}

// wrote ends what unwritten began: when it has failed, the rows wait to be written again, or else slots are let go that are
// past, and all that can be when there are many.
func (t *tallies) wrote(rows []tallyRow, err error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	latest := int64(math.MinInt64)
	for _, row := range rows {
		if slot := t.slots[row.tallied]; err != nil && slot.written {
			slot.written = false
			t.fresh++
		}
		latest = max(latest, row.slot)
	}
	if err != nil {
		fill(t.dirty)
		return
	}
	many := len(t.slots) > maxTallied
	for at, slot := range t.slots {
		if slot.written && (many || at.slot < latest) {
			delete(t.slots, at)
			t.writer = rand.Int64()
		}
	}
}

// of returns what was counted of a subscription, by slot. It is more than what is written of it.
func (t *tallies) of(sub int64) map[int64]tallySlot {
	t.mu.Lock()
	defer t.mu.Unlock()
	slots := make(map[int64]tallySlot)
	for at, slot := range t.slots {
		if at.sub == sub {
			c := tallySlot{writer: slot.writer}
			c.Merge(&slot.Bucket)
			slots[at.slot] = c
		}
	}
	return slots
}

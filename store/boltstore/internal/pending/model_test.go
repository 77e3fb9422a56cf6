package pending

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// TestModel does random operations, each in a transaction of its own, and checks after each that
// the set agrees with a plain map of what is pending.
func TestModel(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			m := newModel(t, rand.New(rand.NewPCG(seed, 7)))
			for i := range 150 {
				m.step()
				m.check()
				if t.Failed() {
					t.Fatalf("seed %d, step %d: %s", seed, i, m.last)
				}
			}
		})
	}
}

// modelState is a delivery as the model has it.
type modelState struct {
	key      uint64
	state    store.State
	asOf     uint64
	attempts int
	due      int64
	atOnce   int64 // see record.Row
	row      bool  // it has been written
}

// model is a set over buckets in memory, and what is to be in it.
type model struct {
	t    *testing.T
	rand *rand.Rand
	last string // the operation

	buckets mapBuckets
	erasing erasing
	seq     uint64
	clock   int64
	// The watermark, and where it goes. What is implicit up to rising is spilled by subscription.
	watermark, rising uint64
	toSpill           []uint64

	nums       []uint64
	recipients map[uint64][]uint64        // of each event
	deliveries map[ID]*modelState         // all, pending or not
	implicit   map[uint64]map[uint64]bool // as memory lists it: by subscription
	backlogs   map[uint64]record.Backlog  // as memory knows them
	canceled   map[uint64]uint64          // by subscription: the number of its last mark
}

func newModel(t *testing.T, r *rand.Rand) *model {
	m := &model{
		t: t, rand: r, nums: []uint64{1, 2, 3}, erasing: erasing{},
		recipients: make(map[uint64][]uint64), deliveries: make(map[ID]*modelState),
		implicit: make(map[uint64]map[uint64]bool), backlogs: make(map[uint64]record.Backlog),
		canceled: make(map[uint64]uint64),
	}
	for _, num := range m.nums {
		m.implicit[num] = make(map[uint64]bool)
	}
	return m
}

// transact runs f in a transaction, and has memory learn of it.
func (m *model) transact(f func(s *Set) error) {
	m.t.Helper()
	var s Set
	var c changes
	s.Init(&m.buckets, m.erasing, &c, m.watermark, m.rising)
	err := f(&s)
	if err == nil {
		err = s.Backlogs.Flush()
	}
	if err != nil {
		m.t.Fatalf("%s: %v", m.last, err)
	}
	for _, ch := range c.deliveries {
		delete(m.implicit[ch.Num], ch.Seq)
		d := m.deliveries[ch.ID]
		d.row = true
		blocked := m.firstOfKey(ch.Num, d.key) != ch.Seq
		if d.key != 0 && ch.Pending && ch.Blocked != blocked && !m.unsettled(ch.Num)[ch.Seq] {
			m.t.Errorf("%v: blocked %v, and the first of its key is %d",
				ch.ID, ch.Blocked, m.firstOfKey(ch.Num, d.key))
		}
	}
	maps.Copy(m.backlogs, c.backlogs)
	if len(c.backlogs) > 0 && c.edits == 0 {
		m.t.Errorf("%s: backlogs were written, and nobody was told before", m.last)
	}
}

// pending returns the events of a subscription that are pending, in ascending order.
func (m *model) pending(num uint64) (seqs []uint64) {
	for id, d := range m.deliveries {
		if id.Num == num && d.state == store.Pending {
			seqs = append(seqs, id.Seq)
		}
	}
	slices.Sort(seqs)
	return seqs
}

// firstOfKey returns the first pending event of a key; 0 if there is none.
func (m *model) firstOfKey(num, key uint64) uint64 {
	for _, seq := range m.pending(num) {
		if m.deliveries[ID{num, seq}].key == key {
			return seq
		}
	}
	return 0
}

// unsettled returns the deliveries of a subscription for which an erasure leaves open, until its
// last step, whether they can be claimed: those of its event, and those that share a key with them.
func (m *model) unsettled(num uint64) map[uint64]bool {
	open := make(map[uint64]bool)
	for seq := range m.erasing {
		erased := m.deliveries[ID{num, seq}]
		if erased == nil {
			continue
		}
		open[seq] = true
		for id, d := range m.deliveries {
			if id.Num == num && d.key != 0 && d.key == erased.key {
				open[id.Seq] = true
			}
		}
	}
	return open
}

// some returns a random delivery in one of the states; ok is false if there is none.
func (m *model) some(in func(*modelState) bool) (id ID, ok bool) {
	var ids []ID
	for id, d := range m.deliveries {
		if in(d) && m.erasing[id.Seq] == nil {
			ids = append(ids, id)
		}
	}
	if len(ids) == 0 {
		return ID{}, false
	}
	slices.SortFunc(ids, ID.Compare)
	return ids[m.rand.IntN(len(ids))], true
}

package memory

import "slices"

// Dealt is a share as the database has it.
type Dealt struct {
	ID    int32
	Owner int64 // 0: nobody
	Fence int64
	Low   uint64
	Live  bool // its owner's lease has not run out
}

// Plan is what a replica has to do to have the shares that it should have.
type Plan struct {
	Acquire []int32 // that nobody has: they are loading from now on
	Load    []int32 // that are this replica's, but were not loaded
	Release []int32 // that have nothing leased any more
}

// Redeal brings what memory has in line with what the database says, and plans what is to be done;
// owners says which replica should have each share.
func (m *Memory) Redeal(shares []Dealt, owners *[Shares]int64, me, now int64) (p Plan) {
	for _, d := range shares {
		sh, mine := &m.shares[d.ID], d.Owner == me
		wanted := owners[d.ID] == me
		// Somebody has taken it while this replica did not renew. It may have come back since: the
		// fence says so. While it is loading memory may not know its fence yet.
		if sh.state != Other && (!mine || sh.state != Loading && sh.fence != d.Fence) {
			m.Drop(d.ID)
		}
		sh.low = d.Low
		switch {
		case mine && (sh.state == Other || sh.state == Loading):
			sh.state, sh.fence = Loading, d.Fence // an earlier load has failed
			p.Load = append(p.Load, d.ID)
		case mine && wanted && sh.state == Leaving:
			m.setLeaving(d.ID, false, now)
		case mine && !wanted:
			m.setLeaving(d.ID, true, now)
			if m.leasedOf(d.ID) == 0 {
				p.Release = append(p.Release, d.ID)
			}
		case wanted && !d.Live:
			// Before it is taken, so that what is published from then on waits for the load.
			sh.state = Loading
			p.Acquire = append(p.Acquire, d.ID)
		}
	}
	return p
}

// Acquired takes in which of some shares were taken, with their fences, and returns these. It
// forgets the others.
func (m *Memory) Acquired(ids []int32, fences map[int32]int64) (taken []int32) {
	for _, id := range ids {
		if fence, ok := fences[id]; ok {
			m.shares[id].fence = fence
			taken = append(taken, id)
		} else if m.shares[id].state == Loading {
			m.Drop(id)
		}
	}
	return taken
}

// Loaded is what the database has of shares that are being loaded.
type Loaded struct {
	Shares  []Dealt
	Rowless []Delivery // pending without a row
	Waiting []int64    // subscriptions that have something pending with a row
}

// Install gives shares that were read to the schedule, but for those that were lost meanwhile.
func (m *Memory) Install(ids []int32, l *Loaded, me, now int64) {
	m.rowsGiven++
	taken := make(map[int32]bool)
	for _, d := range l.Shares {
		sh := &m.shares[d.ID]
		lost := sh.state != Loading || d.Owner != me || d.Fence != sh.fence
		if !slices.Contains(ids, d.ID) || lost {
			continue
		}
		sh.state, sh.low = Owned, d.Low
		taken[d.ID] = true
		// The load may have some of these too: the schedule lists each once.
		l.Rowless = append(l.Rowless, sh.fed...)
		sh.fed = nil
	}
	for _, num := range l.Waiting {
		if taken[ShareOf(uint64(num))] {
			m.Schedule.Restart(m.Schedule.Ensure(uint64(num)), now)
		}
	}
	for _, d := range l.Rowless {
		if taken[ShareOf(d.Sub)] {
			m.Feed(d, now)
		}
	}
}

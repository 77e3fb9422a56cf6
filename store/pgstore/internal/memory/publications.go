package memory

// Publication is a transaction that publishes for shares of this replica, from before it begins
// until its effect is known.
type Publication struct{ _ byte } // not of size zero: each has an address of its own

// publications are those under way, and what they go by. Like Memory, they are used by the holder
// of the lock.
type publications struct {
	// lastSeq is the highest event that was seen. Numbers that are drawn from now on are higher.
	lastSeq uint64

	// floors has for each publication a number below those of its events. No low mark passes them.
	floors map[*Publication]uint64
}

// BeginPublication notes that a transaction is about to publish.
func (ps *publications) BeginPublication() *Publication {
	p := new(Publication)
	ps.floors[p] = ps.lastSeq
	return p
}

// Floor returns a number below those of the events of a publication.
func (ps *publications) Floor(p *Publication) uint64 { return ps.floors[p] }

// EndPublication notes that the effect of a publication is known. What it has stored is fed in the
// same critical section.
func (ps *publications) EndPublication(p *Publication) { delete(ps.floors, p) }

// Saw notes that an event with the number exists.
func (ps *publications) Saw(seq uint64) { ps.lastSeq = max(ps.lastSeq, seq) }

// lowest returns the least of a number and of the floors.
func (ps *publications) lowest(seq uint64) uint64 {
	for _, floor := range ps.floors {
		seq = min(seq, floor)
	}
	return seq
}

// ForgetNumbers takes in that the server may give out numbers once more that memory has seen: of
// events that it has lost.
func (ps *publications) ForgetNumbers() {
	ps.lastSeq = 0
	for p := range ps.floors {
		ps.floors[p] = 0
	}
}

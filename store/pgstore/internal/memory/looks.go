package memory

// Looks says when notices are taken. Those that are being taken may be gone from the database
// already, and not be known to memory yet. As Memory, it is used by the holder of the lock.
type Looks struct {
	under bool // one is under way
	ended int
}

// Begin notes that notices are being taken, until End.
func (l *Looks) Begin() { l.under = true }

// End notes that memory has what was taken since Begin, or is in doubt.
func (l *Looks) End() { l.under, l.ended = false, l.ended+1 }

// Count returns how often notices were taken.
func (l *Looks) Count() int { return l.ended }

// Since reports whether notices were taken since Count returned a number, or are being taken.
func (l *Looks) Since(count int) bool { return l.under || l.ended != count }

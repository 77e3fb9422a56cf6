package boltstore

import "github.com/outhook/outhook/store/boltstore/internal/record"

// delivery is what the file says of a delivery: its row, or what follows from its having none (see txn.find).
type delivery struct {
	record.Row
	stored   bool // the file has a row
	marked   bool // the row is pending, and a mark says that it is canceled
	counted  bool // marked, by an erasure alone: it is still in the counts of pending deliveries
	outdated bool // the row is not in line yet with the mark of an erasure
}

// listed reports whether the row is in the indexes of pending deliveries: it is until it is rewritten, also when a mark
// has canceled it.
func (d *delivery) listed() bool { return d.Pending() || d.marked }

// place returns where the delivery stands among those of its subscription: first attempts by their event, retries by
// when they are due.
func (d *delivery) place(seq uint64) place {
	if d.Attempts == 0 {
		return place{Seq: seq}
	}
	return place{Due: d.Due, Seq: seq}
}

package scan

import (
	"slices"

	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

// known keeps what a listing meets again and again, so that a record that is passed over allocates
// nothing. Many readers at once make garbage faster than anything else in a store, and those who
// publish are made to help to collect it.
type known struct {
	names map[string]string // of types and tenants
	nums  []uint64          // room for the recipients of an event
	event record.Event      // room for an event
	subs  []uint64          // that are there, in this transaction

	key [record.Len1]byte // of the event that is read; a decoder makes it escape
}

// The bounds of what is kept.
const (
	maxNames = 64
	maxSubs  = 16
)

// begin forgets what may be otherwise in another transaction.
func (x *known) begin() { x.subs = x.subs[:0] }

// name returns a name as a string.
func (x *known) name(b []byte) string {
	if s, ok := x.names[string(b)]; ok { // the conversion allocates nothing
		return s
	}
	if x.names == nil || len(x.names) == maxNames {
		x.names = make(map[string]string)
	}
	s := string(b)
	x.names[s] = s
	return s
}

// copy returns the event, of which ID, key and trace alone are new.
func (x *known) copy(view *record.EventView) record.Event {
	e := view.CopyUnnamed()
	e.Type, e.Tenant = x.name(view.Type), x.name(view.Tenant)
	return e
}

// exists reports whether there is a subscription of that number.
func (x *known) exists(t *txn.Tx, num uint64) bool {
	if slices.Contains(x.subs, num) {
		return true
	}
	if !t.Subs.Exists(num) {
		return false
	}
	if len(x.subs) == maxSubs {
		x.subs = x.subs[:0]
	}
	x.subs = append(x.subs, num)
	return true
}

package groupcommit

import (
	"sync"
	"time"
)

// Config says how a [Group] commits. All fields but the numbers and Blocked are required. Tx is a
// transaction of the storage.
//
// The functions are called by one goroutine at a time. If one panics, the operations that are
// concerned end with an error that says so.
type Config[Tx any] struct {
	// Transact begins a transaction that writes, calls do in it once, and commits it if do returns
	// nil and something was written; otherwise it rolls it back and returns do's error. It may
	// block before it calls do, for as long as others have a transaction of their own; it must
	// return an error if it can't call do.
	//
	// The effects, which may be nil, are what memory has to learn of the transaction. With an error
	// they are for a transaction that is committed although its commit has failed: its callers get
	// the error, for it may not be on disk, and memory follows the file all the same.
	Transact func(do func(Tx) error) (effects func(), err error)

	// Do calls do, an operation, in a transaction, and returns its error. intact reports whether
	// the transaction can be committed: it can if the operation failed before it wrote anything.
	Do func(tx Tx, do func(Tx) error) (intact bool, err error)

	// Exclusive says that nobody else has transactions, so that Transact is never blocked by one.
	// Then a caller that finds no committer commits itself, which saves two switches of goroutines,
	// and it can't leave that one transaction when its context ends: the disk bounds how long it
	// takes. After a commit that took long, a caller that may leave hands over all the same.
	Exclusive bool

	// Blocked is what the error of a Submit says, after that of its context, if it leaves while the
	// committer can't begin because others have a transaction. If empty, nothing.
	Blocked string

	// Mu is held while effects and [Op.Ended] are called.
	Mu sync.Locker

	// Closed is the error of an operation that arrives after Close, or that Close refuses.
	Closed error

	// MaxDelay is how long a deferred operation waits for a commit to ride on. After half of that,
	// it rides on any.
	MaxDelay time.Duration

	// RideRecords is how many records of deferred operations are enough for all of those to ride on
	// the next commit. Fewer let it go: a commit that carries some writes a few pages more, so it
	// is cheaper to have them together.
	RideRecords int

	// FlushRecords is how many records of deferred operations are enough for a commit of their own.
	FlushRecords int
}

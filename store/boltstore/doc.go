// Package boltstore is the default [store.Store]: one bbolt file beside a host that runs as a
// single process.
//
//	s, err := boltstore.Open("hooks.db", nil)
//	if err != nil {
//		return err
//	}
//	defer s.Close()
//	d, err := dispatcher.New(s, nil)
//
// A host that keeps its own data in bbolt gives its database to [New] instead, and publishes in the
// transactions in which it writes, by PublishTx of package dispatcher with [Store.Tx]: the event is
// then stored if and only if the rest is.
//
// # What it promises
//
// What Enqueue has accepted is on disk, synced, and survives a crash and a power cut. A damaged
// file is ErrCorrupt and never a crash of the host; a file that is in use is ErrLocked. The file is
// for its owner alone (mode 0600) and has the secrets that sign deliveries; one that other users
// have access to is refused. [Store.Backup] copies it while it is in use.
//
// Operations that arrive while a commit is on its way to the disk share the next transaction. There
// is no timer: an operation that comes alone is committed at once. Only Finish waits a
// few milliseconds for others, since losing it repeats an attempt and no more
// (internal/groupcommit).
//
// Every call returns when its context ends, also while the host has bbolt's only write transaction
// open. An operation whose transaction could not begin by then is never done; one that was on its
// way to the disk may or may not be. At most one goroutine waits for the host, however many calls
// do. With a file that Open has opened, a call that comes alone commits itself, and returns when
// that commit has ended. So when the disk stalls, one call can wait for it though its context has
// ended; those that come meanwhile, and after a commit that took long, return.
//
// # What is erased
//
// Erase takes what events carried out of every record and out of memory, so that no call returns
// it. Its bytes leave the file later: those in pages that are free stay until bbolt writes
// something else there, which under steady traffic is soon but at no certain time. To be rid of
// them at once, compact the file while the store is closed: "bbolt compact -o new.db hooks.db"
// writes one that has the records alone. Copies of the file, and what a file system or a disk keeps
// of blocks that were overwritten, are the host's to see to.
//
// # How it works
//
// An event is one record: its body, once, and its recipients. Its deliveries have none until
// something happens to them, so a delivery that succeeds at once is written once, and enqueuing for
// ten thousand costs little more than for one. What is pending is therefore known from the events.
// Memory has it, by subscription, for as many events as its budget allows; for older ones, which
// are below the watermark (internal/pending), the file has it, packed in chunks. The file also has
// indexes of what waits for a retry and of what has an ordering key; the one of events by their IDs
// is written behind, some dozens at once (internal/buckets).
//
// Memory further has, for each subscription that has something pending, a window on each of those
// sources, its position in the turns that Claim takes, and the leases, which end with the process.
// All of it follows the file: it is changed after a commit, by the effects that the transaction has
// returned.
//
// Memory also knows of each run of events when the earliest of its finished deliveries finished
// (internal/memory), so Prune looks only at runs that have something past its retention.
// When the store is opened nothing is known, and the first rounds of Prune read each event that is
// old enough, once.
//
// Pauses are in memory alone. What attempts came to is counted there too, and written by one commit
// every eight seconds in which there were some.
//
// Unsubscribing writes one mark that cancels all before it, however much that is; every reader
// applies it (internal/pending), and Prune later writes it into the records, in small steps.
//
// Erasing an event that many want writes one mark too, on the event. Erase then brings the records
// of its deliveries in line with the mark, in small steps, so that it holds nobody up. What a crash
// leaves undone of that, Prune does (internal/erase).
//
// Stats adds up what memory knows of each subscription with something pending. Which event is the
// oldest must be read for those that have rows or chunks; memory keeps that until it changes.
//
// A listing of one subscription reads its rows, or, if it asks for states other than delivered,
// the index of those; and what is pending without a row, in chunks and in memory. One of a tenant
// merges the subscriptions of it (internal/listing). What another filter selects has no index, and
// is looked for in steps that pass over a bounded number of records.
//
// Transactions that read are kept short, because bbolt reuses no page that was freed since the
// oldest of them began.
package boltstore

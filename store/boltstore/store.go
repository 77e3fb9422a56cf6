package boltstore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/groupcommit"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
)

var _ store.Store = (*Store)(nil)

// Store is a [store.Store] in a bbolt file. Make one with [Open] or [New]. It is safe for
// concurrent use. It must not be copied: its parts point to each other.
type Store struct {
	db        database      // the file and the clock
	state     state         // memory, behind the one mutex
	commits   commits       // the way of all that writes
	counts    attemptCounts // written with commits, and by Close
	closeWait time.Duration // how long Close waits for the host's transaction

	// What some of the methods do.
	claims     claimer
	lists      lister
	statistics statistics
	erasures   eraser
	pruner     pruner
}

// CloseWait is how long Close waits for a transaction of the host.
const CloseWait = 5 * time.Second

// Close commits what waits and ends the use of the store: after it, every method returns
// [store.ErrClosed]. It writes the last counts, so a host closes a database of its own only
// afterwards. A database that Open has opened is closed too. Calling it again does nothing.
//
// Close returns when the commit under way and those of what waits are on disk; only the disk bounds
// that, and a transaction of the host that reads while the file must grow, see [New]. In a host's
// own database, a transaction of the host can be in the way. If it is still open after [CloseWait],
// the calls that wait fail with ErrClosed, and what they were to write is never written; then Close
// returns an error, and the store is closed nevertheless. So don't call Close while the same
// goroutine has such a transaction open.
func (s *Store) Close() error {
	defer s.state.wake() // so that a caller that waits for work asks, and gets ErrClosed
	// First of all, so that no new call begins while what waits is committed.
	if s.db.closed.Swap(true) {
		return nil
	}
	// The file is closed even if the commits failed, or its lock would stay.
	err := errors.Join(s.closeCommits(), storeError(s.db.file.Close()))
	if err != nil {
		return fmt.Errorf("boltstore: close: %w", err)
	}
	return nil
}

// closeCommits commits what waits and then the last counts. In the order in which nothing is lost:
// outcomes that wait are counted when they are committed, and the last operation of the group
// writes the counts.
func (s *Store) closeCommits() error {
	ctx := context.Background()
	if !s.db.exclusive { // otherwise nobody but the store has a transaction
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.closeWait)
		defer cancel()
	}
	err := s.commits.group.Close(ctx, &groupcommit.Op[*txn.Tx]{Do: writeCounts})
	// After the group is closed, so that no flush is left that would submit to it.
	s.counts.buffer.Stop()
	if err != nil {
		return fmt.Errorf("a transaction of the host was still open after %v, "+
			"so what waited for it is not written; "+
			"end the host's transactions before Close", s.closeWait)
	}
	return nil
}

// Ready implements [store.Queue].
func (s *Store) Ready() <-chan struct{} { return s.state.ready }

package faults

import (
	"context"
	"errors"
	"io"
	"strings"
	"syscall"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

type closingStore interface {
	store.Store
	io.Closer
}

// openStore opens the store. While the disk fails it tries again, as a host that restarts would.
func (h *host) openStore(ctx context.Context) (closingStore, error) {
	open := func() (closingStore, error) { return boltstore.Open(h.Path, nil) }
	if h.NoSync {
		open = h.openUnsynced
	}
	if h.OneThread {
		inner, f := open, newFunnel(&h.marker)
		open = func() (closingStore, error) { return f.open(inner) }
	}
	for {
		s, err := open()
		if err == nil || !isDiskTrouble(err) {
			return s, err
		}
		h.mark(Trouble, "open", "%v", err)
		if !pause(ctx, 10*time.Millisecond) {
			return nil, err
		}
	}
}

// openUnsynced opens a store that loses data when the power fails.
func (h *host) openUnsynced() (closingStore, error) {
	db, err := bolt.Open(h.Path, 0o600,
		&bolt.Options{NoSync: true, NoFreelistSync: true, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return nil, err
	}
	return boltstore.New(db, nil)
}

// isDiskTrouble reports whether err may be the disk's. bbolt does not always wrap what the system
// said.
func isDiskTrouble(err error) bool {
	for _, errno := range []syscall.Errno{syscall.EIO, syscall.ENOSPC} {
		if errors.Is(err, errno) || strings.Contains(err.Error(), errno.Error()) {
			return true
		}
	}
	return false
}

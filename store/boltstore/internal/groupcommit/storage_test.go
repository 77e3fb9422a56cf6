package groupcommit_test

import (
	"context"
	"errors"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store/boltstore/internal/groupcommit"
)

var (
	errClosed = errors.New("closed")
	errDisk   = errors.New("the disk is out of order")
	errOp     = errors.New("the operation has failed")
)

const (
	maxDelay     = 5 * time.Millisecond
	rideRecords  = 32
	flushRecords = 256
	commitTime   = time.Millisecond
)

// storage is a storage in memory, with one transaction that writes at a time. Its fields are set
// before it is used.
type storage struct {
	t     *testing.T
	lock  chan struct{} // has a value while a transaction is open, the host's or the group's
	group *groupcommit.Group[*tx]

	exclusive bool // the host does not use it

	begin  func() error                                 // before a transaction begins; may be nil
	commit func(commit func()) (anyway bool, err error) // what a commit does

	mu sync.Mutex // the group's Config.Mu

	// What follows belongs to the transaction.
	calls  int     // of Transact under way: at most 1
	done   [][]int // the IDs in each transaction that was committed
	tries  int     // transactions that have begun
	learnt int     // transactions whose effects were called
}

// tx is a transaction of storage.
type tx struct {
	ids   []int
	wrote bool
	by    string // the goroutine that commits it
}

// goroutine names the goroutine that calls it.
func goroutine() string {
	b := make([]byte, 64)
	return strings.Fields(string(b[:runtime.Stack(b, false)]))[1]
}

func newStorage(t *testing.T) *storage { return newStorageThat(t, false) }

// newStorageThat returns a storage that only the group uses, or not.
func newStorageThat(t *testing.T, exclusive bool) *storage {
	s := &storage{t: t, lock: make(chan struct{}, 1), exclusive: exclusive}
	s.commit = func(commit func()) (bool, error) {
		<-time.After(commitTime)
		commit()
		return true, nil
	}
	s.group = groupcommit.New(groupcommit.Config[*tx]{
		Transact: s.transact, Do: s.do, Mu: &s.mu, Closed: errClosed, Exclusive: exclusive,
		MaxDelay: maxDelay, RideRecords: rideRecords, FlushRecords: flushRecords,
	})
	return s
}

func (s *storage) transact(do func(*tx) error) (effects func(), err error) {
	if s.begin != nil {
		if err := s.begin(); err != nil {
			return nil, err
		}
	}
	s.lock <- struct{}{}
	defer func() { <-s.lock }()
	if s.calls++; s.calls > 1 {
		s.t.Error("two transactions are open")
	}
	defer func() { s.calls-- }()
	s.tries++
	x := &tx{by: goroutine()}
	if err := do(x); err != nil || !x.wrote {
		return nil, err
	}
	anyway, err := s.commit(func() { s.done = append(s.done, x.ids) })
	if err != nil && !anyway {
		return nil, err
	}
	return func() {
		s.checkLocked("effects")
		if s.learnt++; s.learnt != len(s.done) {
			s.t.Errorf("effects of %d transactions after %d commits", s.learnt, len(s.done))
		}
	}, err
}

func (s *storage) do(x *tx, do func(*tx) error) (intact bool, err error) {
	wrote := x.wrote
	x.wrote = false
	err = do(x)
	intact = err == nil || !x.wrote
	x.wrote = x.wrote || wrote
	return intact, err
}

func (s *storage) checkLocked(what string) {
	if s.mu.TryLock() {
		s.t.Errorf("%s is called without the lock", what)
		s.mu.Unlock()
	}
}

// write returns an operation that writes id.
func (s *storage) write(id int) *groupcommit.Op[*tx] {
	return &groupcommit.Op[*tx]{Do: func(x *tx) error {
		x.wrote = true
		x.ids = append(x.ids, id)
		return nil
	}}
}

// deferred returns an operation that writes id and waits to ride on a commit.
func (s *storage) deferred(id, records int) *groupcommit.Op[*tx] {
	o := s.write(id)
	o.Records = records
	return o
}

// submit submits an operation from a goroutine of its own, and returns where its result comes.
func (s *storage) submit(ctx context.Context, o *groupcommit.Op[*tx]) <-chan error {
	result := make(chan error, 1)
	go func() { result <- s.group.Submit(ctx, o) }()
	return result
}

// hold begins a transaction of the host, which ends when release is called.
func (s *storage) hold() (release func()) {
	s.lock <- struct{}{}
	return func() { <-s.lock }
}

// committed checks what each transaction had.
func (s *storage) committed(want ...[]int) {
	s.t.Helper()
	synctest.Wait()
	if !slices.EqualFunc(s.done, want, slices.Equal) {
		s.t.Errorf("committed %v, want %v", s.done, want)
	}
}

// want checks a result that has come.
func want(t *testing.T, result <-chan error, want error) {
	t.Helper()
	select {
	case err := <-result:
		if !errors.Is(err, want) {
			t.Errorf("got error %v, want %v", err, want)
		}
	default:
		t.Errorf("nothing was returned, want error %v", want)
	}
}

// waits checks that a result has not come.
func waits(t *testing.T, result <-chan error) {
	t.Helper()
	select {
	case err := <-result:
		t.Errorf("got error %v, want it to wait", err)
	default:
	}
}

// after lets time pass, and what is due happen.
func after(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

package groupcommit_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"

	"github.com/outhook/outhook/store/boltstore/internal/groupcommit"
)

// spoil returns an operation that fails after it has written.
func (s *storage) spoil(id int) *groupcommit.Op[*tx] {
	o := s.write(id)
	write := o.Do
	o.Do = func(x *tx) error { return errors.Join(write(x), errOp) }
	return o
}

func TestFailedOpsLeaveTheOthers(t *testing.T) {
	bubble(t, func(t *testing.T, s *storage) {
		release := s.hold()
		clean := s.write(2)
		clean.Do = func(*tx) error { return errOp }
		panics := s.write(4)
		panics.Do = func(x *tx) error { x.wrote = true; panic("operation") }
		var results []<-chan error
		ops := []*groupcommit.Op[*tx]{
			s.write(0), s.spoil(1), clean, s.write(3), panics, s.write(5),
		}
		for _, o := range ops {
			results = append(results, s.submit(t.Context(), o))
			synctest.Wait()
		}
		release()
		after(commitTime + 1)
		s.committed([]int{0, 3, 5})
		for i, r := range results {
			switch i {
			case 1, 2:
				want(t, r, errOp)
			case 4:
				if err := <-r; err == nil {
					t.Error("a panic is not reported")
				}
			default:
				want(t, r, nil)
			}
		}
		// all, without 1, without 4; what fails before it writes needs no other try
		if s.tries != 3 {
			t.Errorf("%d tries, want 3", s.tries)
		}
	})
}

// TestBetweenTries has the host take the storage between two tries. Those who wait for the second
// can leave, and newcomers are not in it.
func TestBetweenTries(t *testing.T) {
	bubble(t, func(t *testing.T, s *storage) {
		again := make(chan struct{})
		begins := 0
		s.begin = func() error {
			if begins++; begins == 2 {
				<-again
			}
			return nil
		}
		release := s.hold()
		ctx, cancel := context.WithCancel(t.Context())
		stays := s.submit(t.Context(), s.write(0))
		synctest.Wait()
		leaves := s.submit(ctx, s.write(1))
		synctest.Wait()
		spoils := s.submit(t.Context(), s.spoil(2))
		synctest.Wait()
		release()
		synctest.Wait()
		want(t, spoils, errOp) // it need not wait for the others
		late := s.submit(t.Context(), s.spoil(3))
		synctest.Wait()
		latest := s.submit(t.Context(), s.write(4))
		synctest.Wait()
		cancel()
		synctest.Wait()
		want(t, leaves, context.Canceled)
		close(again)
		after(2*commitTime + 1)
		want(t, stays, nil)
		want(t, late, errOp)
		want(t, latest, nil)
		s.committed([]int{0}, []int{4})
		if s.tries != 4 {
			t.Errorf("%d tries, want 4", s.tries)
		}
	})
}

func TestCommitFails(t *testing.T) {
	for _, tt := range []struct {
		name    string
		prepare func(s *storage)
		learnt  int // effects that are called all the same
	}{
		{"it can't begin", func(s *storage) { s.begin = func() error { return errDisk } }, 0},
		{"it is not done", func(s *storage) {
			s.commit = func(func()) (bool, error) { return false, errDisk }
		}, 0},
		{"it is done anyway", func(s *storage) {
			s.commit = func(commit func()) (bool, error) { commit(); return true, errDisk }
		}, 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *storage) {
				tt.prepare(s)
				release := s.hold()
				var results []<-chan error
				for i := range 2 {
					o := s.write(i)
					o.Ended = func(err error) {
						if err != errDisk {
							t.Errorf("ended with %v, want the disk's error", err)
						}
					}
					results = append(results, s.submit(t.Context(), o))
				}
				synctest.Wait()
				release()
				for _, r := range results {
					if err := <-r; err != errDisk {
						t.Errorf("got error %v, want the disk's", err)
					}
				}
				if s.learnt != tt.learnt {
					t.Errorf("effects were called %d times, want %d", s.learnt, tt.learnt)
				}
				fresh := newStorage(t)
				s.begin, s.commit = nil, fresh.commit
				if err := s.group.Submit(t.Context(), s.write(2)); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			})
		})
	}
}

// TestPanics has each callback panic, on the committer's goroutine. Those concerned get an error,
// and the group goes on.
func TestPanics(t *testing.T) {
	for _, tt := range []struct {
		name  string
		spoil func(s *storage, o *groupcommit.Op[*tx])
	}{
		{"begin",
			func(s *storage, _ *groupcommit.Op[*tx]) { s.begin = func() error { panic("begin") } }},
		{"commit", func(s *storage, _ *groupcommit.Op[*tx]) {
			s.commit = func(func()) (bool, error) { panic("commit") }
		}},
		{"Ended",
			func(_ *storage, o *groupcommit.Op[*tx]) { o.Ended = func(error) { panic("Ended") } }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			bubble(t, func(t *testing.T, s *storage) {
				begin, commit := s.begin, s.commit
				o := s.write(0)
				tt.spoil(s, o)
				if err := s.group.Submit(t.Context(), o); err == nil {
					t.Error("the panic is not reported")
				}
				s.begin, s.commit = begin, commit
				if err := s.group.Submit(t.Context(), s.write(1)); err != nil {
					t.Errorf("afterwards: %v", err)
				}
			})
		})
	}
}

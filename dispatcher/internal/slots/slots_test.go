package slots_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/outhook/outhook/dispatcher/internal/slots"
)

func TestEachNameHasItsOwn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const each, calls = 3, 20
		s := slots.New(each)
		var mu sync.Mutex
		running := make(map[string]int)
		add := func(name string, n int) {
			mu.Lock()
			defer mu.Unlock()
			running[name] += n
		}
		end := make(chan struct{})
		for _, name := range []string{"a", "b"} {
			for range calls {
				go func() {
					leave, err := s.Enter(t.Context(), name)
					if err != nil {
						t.Error(err)
						return
					}
					add(name, 1)
					<-end
					add(name, -1)
					leave()
				}()
			}
		}
		synctest.Wait()
		if running["a"] != each || running["b"] != each {
			t.Errorf("there run %v, want %d of each", running, each)
		}
		if n := s.Len(); n != 2 {
			t.Errorf("%d names are known, want 2", n)
		}
		close(end)
		synctest.Wait()
		if n := s.Len(); n != 0 {
			t.Errorf("%d names are known after the last call, want none", n)
		}
	})
}

func TestEnterEndsWithItsContext(t *testing.T) {
	s := slots.New(1)
	leave, err := s.Enter(t.Context(), "a")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Enter(ctx, "a"); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
	leave()
	if n := s.Len(); n != 0 {
		t.Errorf("%d names are known, want none", n)
	}
}

func TestTryEnterDoesNotWait(t *testing.T) {
	s := slots.New(1)
	leave := s.TryEnter("a")
	if leave == nil || s.TryEnter("a") != nil {
		t.Error("want the first call to begin, and not the second")
	}
	other := s.TryEnter("b")
	if other == nil {
		t.Fatal("another name's call may not begin")
	}
	other()
	leave()
	if n := s.Len(); n != 0 {
		t.Errorf("%d names are known, want none", n)
	}
	if leave = s.TryEnter("a"); leave == nil {
		t.Error("the slot is not free again")
	}
}

package groupcommit_test

import (
	"testing"
	"testing/synctest"
	"time"
)

// TestLingers has the goroutine that has committed commit again, if that is soon: a new one would
// have to grow its stack anew. It is gone a second later, or when the group is closed; synctest
// fails a test that leaves one behind.
func TestLingers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newStorage(t)
		var by string
		s.begin = func() error { by = goroutine(); return nil }
		committer := func(id int) string {
			if err := s.group.Submit(t.Context(), s.write(id)); err != nil {
				t.Fatal(err)
			}
			synctest.Wait()
			return by
		}
		first := committer(1)
		<-time.After(time.Second / 2)
		if soon := committer(2); soon != first {
			t.Errorf("goroutine %s commits half a second after %s", soon, first)
		}
		<-time.After(2 * time.Second)
		if late := committer(3); late == first {
			t.Error("a goroutine waits for longer than two seconds")
		}
		if err := s.group.Close(t.Context(), nil); err != nil {
			t.Fatal(err)
		}
	})
}

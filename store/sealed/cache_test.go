package sealed_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/outhook/outhook/store/memstore"
)

func TestPlainValuesAreNotKept(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := seal(t, memstore.New(), newKey("k"))
		want := func(when string, n int) {
			t.Helper()
			if got := s.Opened(); got != n {
				t.Errorf("%s: got %d subscriptions kept open, want %d", when, got, n)
			}
		}
		create(t, s, 1)
		create(t, s, 2)
		publish(t, s, 1)
		want("before a claim", 0)
		claim(t, s, 2)
		want("after a claim", 2)
		put(t, s, 1, secret, "changed")
		want("after an update", 1)
		if err := s.DeleteSubscription(t.Context(), id(2)); err != nil {
			t.Fatal(err)
		}
		want("after a delete", 0)

		publish(t, s, 1)
		claim(t, s, 1)
		for range 3 {
			want("while time passes", 1)
			<-time.After(59 * time.Second)
			claim(t, s, 0)
		}
		<-time.After(3 * time.Second)
		claim(t, s, 0)
		want("three minutes later", 0)

		publish(t, s, 1)
		claim(t, s, 1)
		<-time.After(3 * time.Minute)
		claim(t, s, 0)
		want("when no claim came for three minutes", 0)
	})
}

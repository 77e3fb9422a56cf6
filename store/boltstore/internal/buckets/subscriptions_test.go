package buckets_test

import (
	"fmt"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/boltstore/internal/txn/txntest"
)

// TestEffectsOfUnsubscribing checks the order: what is canceled comes before what else the
// transaction does to the subscription, for memory drops all that is pending at the former.
func TestEffectsOfUnsubscribing(t *testing.T) {
	f := txntest.New(t)
	f.Subscribe("sub", "")
	f.Enqueue("ev", "", "")
	list := f.Update(func(t *txn.Tx) error {
		num, was, encoded, err := t.Subs.LookUp("sub")
		if err != nil {
			return err
		}
		is := was.Clone()
		is.Status, is.URL = store.Unsubscribed, "https://example.com/other"
		_, err = t.Subs.Update(num, was, is, encoded)
		return err
	})
	want := []string{"effect.SubscriptionChanged", "effect.PendingCanceled",
		"*effect.BacklogChanged"}
	if got := txntest.Kinds(list); fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("the effects are %v, want %v", got, want)
	}
}

package sealed_test

import (
	"context"
	"fmt"
	"log"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/sealed"
)

// Above the wrapper a key is plain, and in the store it is not.
func Example() {
	inner := memstore.New() // or boltstore.Open
	s, err := sealed.New(inner, sealed.Key{ID: "2026-01", Secret: sealed.NewSecret()})
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	key := signing.NewSecret()
	sub, err := s.CreateSubscription(ctx, store.Subscription{
		ID:      "3e639566-29fa-450d-a59f-ae3c25d7260f",
		URL:     "https://customer.example/hook",
		Status:  store.Subscribed,
		Secrets: []signing.Secret{key},
	})
	if err != nil {
		log.Fatal(err)
	}
	kept, err := inner.Subscription(ctx, sub.ID)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("above:", sub.Secrets[0] == key)
	fmt.Println("below:", kept.Secrets[0] == key, "sealed with", kept.SealedWith)
	// Output:
	// above: true
	// below: false sealed with 2026-01
}

// A new key comes first, and Reseal writes what the old one has sealed.
func ExampleStore_Reseal() {
	inner := memstore.New()
	before := sealed.Key{ID: "2025-01", Secret: sealed.NewSecret()}
	s, err := sealed.New(inner, before)
	if err != nil {
		log.Fatal(err)
	}
	ctx := context.Background()
	_, err = s.CreateSubscription(ctx, store.Subscription{
		ID:      "3e639566-29fa-450d-a59f-ae3c25d7260f",
		URL:     "https://customer.example/hook",
		Status:  store.Subscribed,
		Secrets: []signing.Secret{signing.NewSecret()},
	})
	if err != nil {
		log.Fatal(err)
	}

	now := sealed.Key{ID: "2026-01", Secret: sealed.NewSecret()}
	s, err = sealed.New(inner, now, before)
	if err != nil {
		log.Fatal(err)
	}
	n, err := s.Reseal(ctx)
	fmt.Println(n, "sealed anew", err)
	// Output: 1 sealed anew <nil>
}

package shards_test

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/shards"
)

// Tenants are dealt to two stores by a hash of their names. One that has grown is moved.
func Example() {
	ctx := context.Background()
	stores := []store.Store{memstore.New(), memstore.New()}
	s, err := shards.New(func(tenant string) int {
		return int(crc32.ChecksumIEEE([]byte(tenant))) % 2
	}, stores...)
	if err != nil {
		panic(err)
	}
	defer s.Close()
	for i, tenant := range []string{"acme", "globex", "initech"} {
		_, err := s.CreateSubscription(ctx, store.Subscription{
			ID:     fmt.Sprintf("3e639566-29fa-450d-a59f-ae3c25d7260%d", i),
			Tenant: tenant, URL: "https://endpoint.example/", Status: store.Subscribed,
		})
		if err != nil {
			panic(err)
		}
	}
	if err := s.Move(ctx, "acme", 1); err != nil {
		var moving *shards.MovingError
		fmt.Println("try again:", errors.As(err, &moving))
	}
	there, err := stores[1].Subscriptions(ctx, store.SubscriptionQuery{Tenant: "acme"})
	if err != nil {
		panic(err)
	}
	all, err := s.Subscriptions(ctx, store.SubscriptionQuery{AnyTenant: true})
	if err != nil {
		panic(err)
	}
	fmt.Println(len(there.Items), "in the second store,", len(all.Items), "in all")
	// Output: 1 in the second store, 3 in all
}

package dispatcher_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// A host gives its free tenants less than those that pay.
func ExampleQuota() {
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		Logger: slog.New(slog.DiscardHandler),
		Quota: func(tenant string) dispatcher.Quota {
			if tenant == "paying" {
				return dispatcher.Quota{Subscriptions: dispatcher.Unlimited}
			}
			return dispatcher.Quota{Subscriptions: 1, Pending: 10_000}
		},
	})
	if err != nil {
		panic(err)
	}
	for _, tenant := range []string{"paying", "paying", "free", "free"} {
		_, err := d.Subscribe(
			context.Background(),
			store.Subscription{Tenant: tenant, URL: "https://endpoint.example/"},
		)
		var used *dispatcher.QuotaError
		switch {
		case errors.As(err, &used):
			fmt.Printf("%s: no more than %d %s\n", used.Tenant, used.Limit, used.Kind)
		case err != nil:
			panic(err)
		default:
			fmt.Printf("%s: subscribed\n", tenant)
		}
	}
	// Output:
	// paying: subscribed
	// paying: subscribed
	// free: subscribed
	// free: no more than 1 subscriptions
}

package dispatcher_test

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// A host with a Transport of its own keeps the address guard.
func ExampleGuardedDialer() {
	o := dispatcher.Options{Logger: slog.New(slog.DiscardHandler)}
	dialer, err := dispatcher.GuardedDialer(&o) // by AllowPrefixes and DenyPrefixes of o
	if err != nil {
		panic(err)
	}
	dialer.Timeout = 5 * time.Second
	o.Transport = &http.Transport{DialContext: dialer.DialContext}

	ctx := context.Background()
	d, err := dispatcher.New(memstore.New(), &o)
	if err != nil {
		panic(err)
	}
	sub, err := d.Subscribe(ctx, store.Subscription{URL: "http://localhost:8080/"}) // a name, so it can be stored
	if err != nil {
		panic(err)
	}
	attempt, err := d.Ping(ctx, sub.ID)
	fmt.Println(attempt.Error, err)
	// Output: blocked_address: the host's address is one that deliveries must not go to <nil>
}

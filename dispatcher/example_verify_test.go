package dispatcher_test

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
)

// An endpoint has to agree before it gets deliveries.
func ExampleDispatcher_Verify() {
	ctx := context.Background()
	key := signing.NewSecret()
	agrees := false
	receiver := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if challenge, ok := signing.Challenge(body); ok && agrees {
			io.WriteString(w, challenge)
		}
	}
	server := httptest.NewServer(
		signing.Verifier{Keys: []signing.Secret{key}}.Handler(http.HandlerFunc(receiver)))
	defer server.Close()

	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		Verify:        dispatcher.Verification{Method: dispatcher.VerifyChallenge},
		AllowLoopback: true, // the receiver is on this machine
		Logger:        slog.New(slog.DiscardHandler),
	})
	if err != nil {
		panic(err)
	}
	sub, err := d.Subscribe(ctx, store.Subscription{URL: server.URL, Secrets: []signing.Secret{key}})
	if err != nil {
		panic(err)
	}
	fmt.Println(sub.Status)
	for range 2 {
		attempt, err := d.Verify(ctx, sub.ID)
		if err != nil {
			panic(err)
		}
		fmt.Printf("%d %q\n", attempt.Status, dispatcher.ErrorClass(attempt.Error))
		agrees = true // its owner adds the answer
	}
	if sub, err = d.Subscription(ctx, sub.ID); err != nil {
		panic(err)
	}
	fmt.Println(sub.Status)
	// Output:
	// Unverified
	// 200 "response"
	// 200 ""
	// Subscribed
}

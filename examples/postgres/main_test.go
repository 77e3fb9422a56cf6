package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/outhook/outhook/store/pgstore/pgtest"
)

func TestRun(t *testing.T) {
	url := os.Getenv("OUTHOOK_TEST_POSTGRES")
	if url == "" {
		srv, err := pgtest.Start(t.Context(), pgtest.Config{})
		if errors.Is(err, pgtest.ErrNotInstalled) {
			if os.Getenv("OUTHOOK_CI") != "" {
				t.Fatal("there is no PostgreSQL to test with")
			}
			t.Skip("there is no PostgreSQL to test with: OUTHOOK_TEST_POSTGRES is not set, and no server " +
				"is installed")
		}
		if err != nil {
			t.Fatal(err)
		}
		defer srv.Remove()
		url = srv.URL()
	}
	var out strings.Builder
	if err := run(context.Background(), url, &out); err != nil {
		t.Fatal(err)
	}
	const want = `an order was committed
another was rolled back: the card was declined
the customer got the webhook of the first: true
in the history: order.placed delivered
`
	if got := out.String(); got != want {
		t.Errorf("it printed\n%swant\n%s", got, want)
	}
}

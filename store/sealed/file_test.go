package sealed_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore"
)

// privateKey is an Ed25519 key, whose base64 must not be in the file.
const privateKey signing.Secret = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk="

// TestFileShowsNoCanary writes secrets and headers in every way there is, and then looks at all
// bytes of the file.
func TestFileShowsNoCanary(t *testing.T) {
	for _, tt := range []struct {
		name   string
		sealed bool
	}{{"sealed", true}, {"control, not sealed", false}} {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "hooks.db")
			inner, err := boltstore.Open(path, nil)
			if err != nil {
				t.Fatal(err)
			}
			defer inner.Close()
			var s store.Store = inner
			if tt.sealed {
				s = seal(t, inner, newKey("k"))
			}
			use(t, s)
			if err := inner.Close(); err != nil {
				t.Fatal(err)
			}
			file, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			for _, canary := range []string{string(secret), headerValue, "canary-rotated",
				"canary-changed", string(privateKey[5:])} {
				if got := bytes.Contains(file, []byte(canary)); got == tt.sealed {
					t.Errorf("the file contains %s: got %t, want %t", canary, got, !tt.sealed)
				}
			}
			if !bytes.Contains(file, []byte(headerName)) {
				t.Errorf("the name of the header is not in the file: is this the whole file?")
			}
		})
	}
}

// use does what a dispatcher does, and what is done to a subscription in its life.
func use(t *testing.T, s store.Store) {
	t.Helper()
	create(t, s, 1)
	create(t, s, 2)
	publish(t, s, 3)
	for i, c := range claim(t, s, 6) {
		wantPlain(t, "claim", *c.Subscription)
		o := store.Outcome{Lease: c.Lease, State: store.Delivered,
			Attempt: store.Attempt{Number: 1, At: time.Now(), Status: 200}}
		if i%2 == 0 {
			o.State, o.Attempt.Status, o.Attempt.Error = store.Pending, 500, "http_status"
		}
		if _, err := s.Finish(t.Context(), o); err != nil {
			t.Fatal(err)
		}
	}
	_, err := s.UpdateSubscription(t.Context(), id(1), func(sub *store.Subscription) error {
		wantPlain(t, "what change gets", *sub)
		sub.Secrets = append(sub.Secrets, "canary-rotated", privateKey)
		sub.Headers["X-Other"] = "canary-changed"
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := texts(get(t, s, 1).Secrets),
		[]string{string(secret), "canary-rotated", string(privateKey)}; !slices.Equal(got, want) {
		t.Errorf("secrets after the update: got %q, want %q", got, want)
	}
	if err := s.DeleteSubscription(t.Context(), id(2)); err != nil {
		t.Fatal(err)
	}
	for more := true; more; {
		if more, err = s.Prune(t.Context(),
			store.Retention{Delivered: time.Nanosecond, Failed: time.Nanosecond}); err != nil {
			t.Fatal(err)
		}
	}
}

package send_test

import (
	"net/http"
	"testing"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/signing"
)

// TestSignersFollowTheKeys holds that each attempt is signed by the keys that its subscription has
// then: after a rotation too, and when two claims of one ID have other keys.
func TestSignersFollowTheKeys(t *testing.T) {
	var got string
	s := newSender(t, transportFunc(func(r *http.Request) (*http.Response, error) {
		got = r.Header.Get(signing.HeaderAiry)
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	}), send.Hooks{})
	for _, key := range []signing.Secret{"first key", "second key", "first key"} {
		c := newClaim("https://endpoint.example/")
		c.Subscription.ID = c.SubscriptionID
		c.Subscription.Secrets = []signing.Secret{key}
		if r := s.Send(t.Context(), c, policy, ""); r.Kind != send.KindDelivered {
			t.Fatalf("%+v, want a success", r)
		}
		if want := signing.Airy(key, c.Body); got != want {
			t.Errorf("signed %q, want %q by %q", got, want, string(key))
		}
	}
}

package send_test

import (
	"net/http"
	"testing"

	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/signing"
)

// What a host does not use must cost an attempt nothing. This counts all that a signed attempt
// allocates but for the connection: the headers with their values and signatures, the request with
// its body, the context.
func TestAttemptsAllocateLittle(t *testing.T) {
	answer := &http.Response{StatusCode: 200, Body: http.NoBody}
	s := newSender(t, transportFunc(func(*http.Request) (*http.Response, error) {
		return answer, nil
	}), send.Hooks{})
	c := newClaim("https://endpoint.example/")
	c.Subscription.Secrets = []signing.Secret{
		"whsec_MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
	}
	got := testing.AllocsPerRun(100, func() {
		if r := s.Send(t.Context(), c, policy, ""); r.Kind != send.KindDelivered {
			t.Fatalf("%+v, want a success", r)
		}
	})
	// A few of them are for the host's transport, which is given a trace: see progress.watch. One
	// more is for the race detector, which empties pools at random.
	if got > 26 {
		t.Errorf("%v allocations, want at most 26", got)
	}
}

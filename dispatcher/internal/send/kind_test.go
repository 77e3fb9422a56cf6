package send_test

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"testing"

	"github.com/outhook/outhook/dispatcher/internal/netguard"
	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// What an answer means, for each status that there is.
func TestKindOfStatus(t *testing.T) {
	want := make(map[int]send.Kind) // KindDown if it is not here
	for status := 400; status <= 499; status++ {
		want[status] = send.KindRefused
	}
	for _, status := range []int{401, 403, 404, 407, 408} {
		want[status] = send.KindDown
	}
	want[200], want[410], want[429] = send.KindDelivered, send.KindGone, send.KindThrottled
	for status := 100; status <= 999; status++ {
		r := newSender(t, &recorder{status: status}, send.Hooks{}).Send(t.Context(),
			newClaim("https://endpoint.example/"), policy, "")
		if r.Kind != want[status] || r.Attempt.Status != status {
			t.Errorf("%d is of kind %d, want %d", r.Attempt.Status, r.Kind, want[status])
		}
		if r.Final {
			t.Errorf("%d is final without Options.Final", status)
		}
	}
}

// Final is asked about refusals, and about nothing else.
func TestFinal(t *testing.T) {
	var asked []int
	for _, tt := range []struct {
		status int
		final  bool
		kind   send.Kind
	}{
		{200, false, send.KindDelivered},
		{404, false, send.KindDown},
		{410, false, send.KindGone},
		{422, true, send.KindRefused},
		{400, false, send.KindRefused},
		{429, false, send.KindThrottled},
		{500, false, send.KindDown},
		{499, false, send.KindOurs}, // it panics
	} {
		s := send.New(send.Options{
			Guard:     &netguard.Policy{},
			Transport: &recorder{status: tt.status},
			Logger:    slog.New(slog.DiscardHandler),
		})
		policy := *policy
		policy.Final = func(status int) bool {
			asked = append(asked, status)
			if status == 499 {
				panic(canary)
			}
			return status == 422
		}
		r := s.Send(t.Context(), newClaim("https://endpoint.example/"), &policy, "")
		if r.Final != tt.final || r.Kind != tt.kind {
			t.Errorf("%d: final %v, kind %d; want %v, %d", tt.status, r.Final, r.Kind, tt.final, tt.kind)
		}
	}
	if got := fmt.Sprint(asked); got != "[422 400 499]" {
		t.Errorf("Final was asked about %s, want the refusals", got)
	}
}

// Without an answer the endpoint is down; without a request nothing is known of it.
func TestKindWithoutAnswer(t *testing.T) {
	for _, tt := range []struct {
		name      string
		transport transportFunc
		url       string
		want      send.Kind
	}{
		{"an error", func(*http.Request) (*http.Response, error) {
			return nil, errors.New(canary)
		}, "https://endpoint.example/", send.KindDown},
		{"a panic", func(*http.Request) (*http.Response, error) {
			panic(canary)
		}, "https://endpoint.example/", send.KindOurs},
		{"a URL that cannot be posted to", nil, "ftp://endpoint.example/", send.KindOurs},
		{"a blocked address", nil, "http://192.0.2.1/", send.KindDown},
	} {
		var tr http.RoundTripper
		if tt.transport != nil {
			tr = tt.transport
		}
		if r := newSender(t, tr, send.Hooks{}).Send(t.Context(), newClaim(tt.url), policy,
			""); r.Kind != tt.want {
			t.Errorf("%s is of kind %d, want %d", tt.name, r.Kind, tt.want)
		}
	}
	c := newClaim("https://endpoint.example/")
	c.Body = nil // no version has written that; a hook that needs the event cannot be asked
	filter := send.Hooks{Filter: func(store.Subscription, events.Event) bool { return true }}
	if _, r := newSender(t, &recorder{status: 200}, filter).Filter(c); r == nil ||
		r.Kind != send.KindOurs {
		t.Errorf("a broken body is %+v, want KindOurs", r)
	}
}

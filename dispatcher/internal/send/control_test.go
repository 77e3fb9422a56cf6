package send_test

import (
	"net/http"
	"testing"

	"github.com/outhook/outhook/dispatcher/internal/send"
)

// What an endpoint may ask for in its answer, and what that says of it.
func TestControl(t *testing.T) {
	const aborted = "; the endpoint has asked not to be sent it again"
	const disabled = "; the endpoint has asked to be unsubscribed"
	for _, tt := range []struct {
		status int
		values []string
		asked  send.Control
		kind   send.Kind
		error  string
	}{
		{200, nil, send.ControlNone, send.KindDelivered, ""},
		{200, []string{"disable"}, send.ControlDisable, send.KindDelivered, ""},
		{200, []string{"abort-message"}, send.ControlAbort, send.KindDelivered, ""},
		{500, nil, send.ControlNone, send.KindDown, "http_status: 500 Internal Server Error"},
		{500, []string{"abort-message"}, send.ControlAbort, send.KindRefused,
			"http_status: 500 Internal Server Error" + aborted},
		{404, []string{" Disable\t"}, send.ControlDisable, send.KindRefused,
			"http_status: 404 Not Found" + disabled},
		{422, []string{"ABORT-MESSAGE"}, send.ControlAbort, send.KindRefused,
			"http_status: 422 Unprocessable Entity" + aborted},
		{429, []string{"abort-message"}, send.ControlAbort, send.KindThrottled,
			"http_status: 429 Too Many Requests" + aborted},
		{410, []string{"disable"}, send.ControlDisable, send.KindGone,
			"http_status: 410 Gone" + disabled},
		{500, []string{"abort-message", "disable"}, send.ControlDisable, send.KindRefused,
			"http_status: 500 Internal Server Error" + disabled},
		{500, []string{"stop"}, send.ControlNone, send.KindDown,
			"http_status: 500 Internal Server Error"},
		{500, []string{""}, send.ControlNone, send.KindDown, "http_status: 500 Internal Server Error"},
		{500, []string{"disable; now"}, send.ControlNone, send.KindDown,
			"http_status: 500 Internal Server Error"},
		{0, []string{"disable"}, send.ControlNone, send.KindDown, "response: not a proper HTTP answer"},
	} {
		answer := transportFunc(func(*http.Request) (*http.Response, error) {
			return &http.Response{
				StatusCode: tt.status, Header: http.Header{"Webhook-Delivery": tt.values},
			}, nil
		})
		for _, obeys := range []bool{false, true} {
			o := newOptions(answer, send.Hooks{})
			o.Obeys = obeys
			r := send.New(o).Send(t.Context(), newClaim("https://endpoint.example/"), policy, "")
			asked, kind, text := tt.asked, tt.kind, tt.error
			if !obeys { // then it is as if the header was not there
				bare := transportFunc(func(*http.Request) (*http.Response, error) {
					return &http.Response{StatusCode: tt.status}, nil
				})
				want := newSender(t, bare, send.Hooks{}).Send(t.Context(),
					newClaim("https://endpoint.example/"), policy, "")
				asked, kind, text = send.ControlNone, want.Kind, want.Attempt.Error
			}
			if r.Asked != asked || r.Kind != kind || r.Attempt.Error != text {
				t.Errorf("%d with %q, obeyed %v: asks for %d, kind %d, %q; want %d, %d, %q", tt.status,
					tt.values, obeys, r.Asked, r.Kind, r.Attempt.Error, asked, kind, text)
			}
		}
	}
}

// A policy says how the request is made.
func TestPolicyOfTheRequest(t *testing.T) {
	var got *http.Request
	tr := transportFunc(func(r *http.Request) (*http.Response, error) {
		got = r
		return &http.Response{StatusCode: 202}, nil
	})
	put := *policy
	put.Method, put.ContentType = http.MethodPut, "application/cloudevents+json; charset=utf-8"
	put.Success = func(status int) bool { return status == 202 }
	s := newSender(t, tr, send.Hooks{})
	for _, p := range []*send.Policy{policy, &put, policy} { // of one URL, whose request is kept
		r := s.Send(t.Context(), newClaim("https://endpoint.example/"), p, "")
		if (r.Kind == send.KindDelivered) != p.Success(202) || got.Method != p.Method ||
			got.Header.Get("Content-Type") != p.ContentType {
			t.Errorf("a %s of %q is of kind %d, want a %s of %q", got.Method,
				got.Header.Get("Content-Type"), r.Kind, p.Method, p.ContentType)
		}
	}
}

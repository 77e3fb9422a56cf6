package send

import (
	"net/http"
	"strings"
)

// HeaderControl is the header of an answer by which an endpoint controls deliveries. The name and
// the values are those of Svix (docs.svix.com/receiving/delivery-control), so that a receiver need
// not know who sends.
const HeaderControl = "Webhook-Delivery"

// Control is what an endpoint asks for.
type Control int

const (
	ControlNone    Control = iota
	ControlAbort           // not to be sent this delivery again
	ControlDisable         // to be unsubscribed
)

// controlOf reads what an answer asks for. What is not known asks for nothing. Of several the one
// that ends more counts.
func controlOf(h http.Header) (asked Control) {
	for _, value := range h[HeaderControl] {
		switch strings.ToLower(strings.Trim(value, " \t")) {
		case "abort-message":
			asked = max(asked, ControlAbort)
		case "disable":
			asked = max(asked, ControlDisable)
		}
	}
	return asked
}

// obey takes in what an answer asks for, if the host has said that endpoints may ask. An endpoint
// that says so works, whatever its status is.
func (s *Sender) obey(h http.Header, r *Result) {
	if !s.obeys || r.Attempt.Status == 0 {
		return
	}
	r.Asked = controlOf(h)
	if r.Asked != ControlNone && r.Kind == KindDown {
		r.Kind = KindRefused
	}
	if r.Attempt.Error == "" {
		return // it has taken the delivery, which ends in any case
	}
	switch r.Asked {
	case ControlAbort:
		r.Attempt.Error += "; the endpoint has asked not to be sent it again"
	case ControlDisable:
		r.Attempt.Error += "; the endpoint has asked to be unsubscribed"
	}
}

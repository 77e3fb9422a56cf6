package console

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/store"
)

// state is how a webhook or a delivery is: an icon, a word and more of it.
type state struct {
	Kind   string // of icon and color: ok, new, wait, warn, bad, off
	Word   string
	Detail string
}

// webhookState sums up how a webhook is.
func webhookState(sub *store.Subscription, s *dispatcher.SubscriptionStats) state {
	attempts := s.Day.Delivered + s.Day.Failed
	switch {
	case sub.SealedWith != "":
		return state{"bad", "unreadable", "its keys and headers can't be read"}
	case sub.Disabled():
		return state{"bad", "disabled", text.Line(sub.DisabledReason)}
	case sub.Status == store.Unsubscribed:
		return state{"off", "off", "disabled by its owner"}
	case sub.Status == store.Paused:
		return state{"off", "paused", "by its owner"}
	case s.Breaker == dispatcher.BreakerOpen:
		detail := fmt.Sprintf("%d in a row", s.Failures)
		if !s.NextProbeAt.IsZero() {
			detail += ", next try " + ago(s.NextProbeAt)
		}
		return state{"bad", "failing", detail}
	case s.Failures > 0:
		return state{"warn", "failing", fmt.Sprintf("%d in a row", s.Failures)}
	case attempts == 0 && s.Pending == 0:
		return state{"new", "quiet", "nothing sent in 24 h"}
	}
	return state{"ok", "active", ""}
}

// deliveryState says how a delivery is.
func deliveryState(d *store.Delivery, now time.Time) state {
	switch d.State {
	case store.Delivered:
		return state{"ok", "delivered", ""}
	case store.Dead:
		return state{"bad", "dead", "given up"}
	case store.Canceled:
		return state{"off", "canceled", text.Line(d.LastError)}
	}
	when := "due"
	if d.DueAt.After(now) {
		when = ago(d.DueAt)
	}
	if d.Attempts > 0 {
		return state{"warn", "retry", fmt.Sprintf("attempt %d %s", d.Attempts+1, when)}
	}
	return state{"wait", "pending", when}
}

// answerOf says what came back of the last attempt of a delivery, in a few words.
func answerOf(status int, reason string) string {
	class := dispatcher.ErrorClass(reason)
	switch {
	case class != "" && class != dispatcher.ClassHTTPStatus:
		return classText(class)
	case status != 0:
		return fmt.Sprint(status)
	}
	return ""
}

// classText is the name of a class of errors for people.
func classText(class dispatcher.Class) string {
	switch class {
	case dispatcher.ClassBlockedAddress:
		return "address not allowed"
	case dispatcher.ClassDNS:
		return "name not found"
	case dispatcher.ClassConnect:
		return "no connection"
	case dispatcher.ClassTLS:
		return "TLS failed"
	case dispatcher.ClassTimeout:
		return "timeout"
	case dispatcher.ClassResponse:
		return "answer not readable"
	case dispatcher.ClassCanceled:
		return "cut off"
	case dispatcher.ClassSender:
		return "sender's fault"
	}
	return "not a success"
}

// reasonText is the error of an attempt for people: its class in words.
func reasonText(reason string) string {
	class := dispatcher.ErrorClass(reason)
	if class == "" {
		return text.Line(reason)
	}
	rest := strings.TrimPrefix(strings.TrimPrefix(reason, string(class)), ": ")
	if class == dispatcher.ClassHTTPStatus && rest != "" {
		return text.Line(rest)
	}
	return text.Line(classText(class) + ": " + rest)
}

// advice says what the owner of an endpoint can do about a failed attempt.
func advice(status int, reason string) string {
	switch dispatcher.ErrorClass(reason) {
	case dispatcher.ClassBlockedAddress:
		return "The address is private or reserved. Use one that the public internet reaches."
	case dispatcher.ClassDNS:
		return "Check the spelling of the host, and that its name is in the DNS."
	case dispatcher.ClassConnect:
		return "Check that the server runs, listens on this port, and that no firewall blocks us."
	case dispatcher.ClassTLS:
		return "Check the certificate: its name, its date, and that the whole chain is sent."
	case dispatcher.ClassTimeout:
		return "Answer first and work later: put the event in a queue and return 200 at once."
	case dispatcher.ClassResponse:
		return "Check that the server speaks HTTP on this port and sends short answers."
	case dispatcher.ClassHTTPStatus:
	default:
		return ""
	}
	switch {
	case status >= 300 && status <= 399:
		return "Redirects are not followed. Enter the URL that it points to."
	case status == 401 || status == 403:
		return "The endpoint refuses us. Check the headers of this webhook, and rules for bots."
	case status == 404 || status == 405:
		return "Check the path of the URL, and that it takes POST."
	case status == 410:
		return "The endpoint says that it is gone, so the webhook is disabled."
	case status == 413:
		return "The endpoint takes no body of this size. Raise its limit."
	case status == 429:
		return "The endpoint asks us to slow down, which we do. Nothing is lost."
	case status >= 500:
		return "The endpoint has a fault of its own. Its log says more."
	}
	return "Check what the endpoint answered."
}

// showURL returns a webhook's URL for people: without its query, which may hold a password.
func showURL(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return "(not readable)"
	}
	shown := u.Host + u.EscapedPath()
	if u.Scheme != "https" {
		shown = u.Scheme + "://" + shown
	}
	if u.RawQuery != "" || u.ForceQuery {
		shown += "?…"
	}
	return text.Line(shown)
}

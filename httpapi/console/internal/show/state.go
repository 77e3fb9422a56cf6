// Package show says how the console shows records to people: in what words, numbers and shapes. It
// reads no store, and decides only what the sender of a request sees of an event or an attempt. Its
// types are data for templates, which use their fields by name.
//
// What others wrote becomes plain text by package text; html/template escapes it. The query of a
// webhook's URL, which may hold a password, is never shown.
package show

import (
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/store"
)

// State is how a webhook or a delivery is: an icon, a word and more of it.
type State struct {
	Kind   string // of icon and color: ok, new, wait, warn, bad, off
	Word   string
	Detail string
}

// WebhookState sums up how a webhook is.
func WebhookState(sub *store.Subscription, s *dispatcher.SubscriptionStats) State {
	attempts := s.Day.Delivered + s.Day.Failed
	switch {
	case sub.SealedWith != "":
		return State{"bad", "unreadable", "its keys and headers can't be read"}
	case sub.Disabled():
		return State{"bad", "disabled", text.Line(sub.DisabledReason)}
	case sub.Status == store.Unsubscribed:
		return State{"off", "off", "disabled by its owner"}
	case sub.Status == store.Paused:
		return State{"off", "paused", "by its owner"}
	case sub.Status == store.Unverified:
		return State{"wait", "unverified", "its endpoint has not agreed yet"}
	case sub.URL == "":
		return State{"ok", "polled", "read by poll"}
	case s.Breaker == dispatcher.BreakerOpen:
		detail := fmt.Sprintf("%d in a row", s.Failures)
		if !s.NextProbeAt.IsZero() {
			detail += ", next try " + Ago(s.NextProbeAt)
		}
		return State{"bad", "failing", detail}
	case s.Failures > 0:
		return State{"warn", "failing", fmt.Sprintf("%d in a row", s.Failures)}
	case attempts == 0 && s.Pending == 0:
		return State{"new", "quiet", "nothing sent in 24 h"}
	}
	return State{"ok", "active", ""}
}

// DeliveryState says how a delivery is.
func DeliveryState(d *store.Delivery, now time.Time) State {
	switch d.State {
	case store.Delivered:
		return State{"ok", "delivered", ""}
	case store.Dead:
		return State{"bad", "dead", "given up"}
	case store.Canceled:
		return State{"off", "canceled", text.Line(d.LastError)}
	}
	when := "due"
	if d.DueAt.After(now) {
		when = Ago(d.DueAt)
	}
	if d.Attempts > 0 {
		return State{"warn", "retry", fmt.Sprintf("attempt %d %s", d.Attempts+1, when)}
	}
	return State{"wait", "pending", when}
}

// WaitText says why a pending delivery is not attempted now; empty if nothing but its time keeps
// it.
func WaitText(d *store.Delivery) string {
	switch d.Wait {
	case store.WaitDue:
		return "as soon as there is room"
	case store.WaitUnderWay:
		return "under way"
	case store.WaitNotBefore:
		return "not to be sent before this time"
	case store.WaitKey:
		return "after an earlier delivery with the same key"
	case store.WaitRateLimit:
		return "held by the rate limit"
	case store.WaitThrottled:
		return "the endpoint asked to slow down"
	case store.WaitBreaker:
		return "the endpoint is down; after a probe succeeds"
	case store.WaitPaused:
		return "the webhook is paused"
	case store.WaitUnverified:
		return "the endpoint has not agreed yet"
	case store.WaitPoll:
		return "to be read by poll"
	}
	return ""
}

// Answer says what came back of the last attempt of a delivery, in a few words.
func Answer(status int, reason string) string {
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

// Reason is the error of an attempt for people: its class in words.
func Reason(reason string) string {
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

// Advice says what the owner of an endpoint can do about a failed attempt.
func Advice(status int, reason string) string {
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

// URL returns a webhook's URL for people: without its query, which may hold a password.
func URL(raw string) string {
	if raw == "" {
		return "(read by poll)"
	}
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

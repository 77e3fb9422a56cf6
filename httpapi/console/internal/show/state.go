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
	At     time.Time // a time that ends the detail, as in "next try in 2 min"; zero is none
}

// The words for the states of a webhook. A list can be filtered by them.
const (
	Active       = "active"
	New          = "new"
	Failing      = "failing"
	Throttled    = "throttled"
	Paused       = "paused"
	Unverified   = "unverified"
	Polled       = "polled"
	Disabled     = "disabled"
	Unsubscribed = "unsubscribed"
	Unreadable   = "unreadable"
)

// WebhookStates returns the words for the states of a webhook.
func WebhookStates() []string {
	return []string{Active, New, Failing, Throttled, Polled, Paused, Unverified, Disabled,
		Unsubscribed, Unreadable}
}

// Statuses returns the statuses that a webhook in a state may have: a store finds those by itself.
// It is empty for a state that says nothing of the status.
func Statuses(state string) []store.Status {
	switch state {
	case Active, New, Failing, Throttled, Polled:
		return []store.Status{store.Subscribed}
	case Paused:
		return []store.Status{store.Paused}
	case Unverified:
		return []store.Status{store.Unverified}
	case Disabled, Unsubscribed:
		return []store.Status{store.Unsubscribed}
	}
	return nil
}

// SlowPace is the time between two attempts from which on a webhook counts as throttled though it
// is not held: quicker than that, nobody sees a difference.
const SlowPace = time.Second

// WebhookState sums up how a webhook is.
func WebhookState(sub *store.Subscription, s *dispatcher.SubscriptionStats) State {
	tried := s.Day.Delivered + s.Day.Failed
	switch {
	case sub.SealedWith != "":
		return State{Kind: "bad", Word: Unreadable, Detail: "its key is missing here"}
	case sub.Disabled():
		return State{Kind: "bad", Word: Disabled, Detail: text.Line(sub.DisabledReason)}
	case sub.Status == store.Unsubscribed:
		return State{Kind: "off", Word: Unsubscribed, Detail: "by its owner"}
	case sub.Status == store.Paused:
		return State{Kind: "off", Word: Paused, Detail: "by its owner"}
	case sub.Status == store.Unverified:
		return State{Kind: "wait", Word: Unverified, Detail: "its endpoint has not agreed yet"}
	case sub.URL == "":
		return State{Kind: "ok", Word: Polled, Detail: "read by poll"}
	case s.Breaker == dispatcher.BreakerOpen:
		state := State{Kind: "bad", Word: Failing, Detail: fmt.Sprintf("%d in a row", s.Failures)}
		switch {
		case s.NextProbeAt.After(time.Now()):
			state.Detail, state.At = state.Detail+", next try", s.NextProbeAt
		default:
			state.Detail += ", tried now"
		}
		return state
	case s.ThrottledUntil.After(time.Now()):
		return State{Kind: "warn", Word: Throttled, Detail: "next try", At: s.ThrottledUntil}
	case s.Pace >= SlowPace:
		return State{Kind: "warn", Word: Throttled, Detail: "one in " + Duration(s.Pace)}
	case s.Failures > 0:
		return State{Kind: "warn", Word: Failing, Detail: fmt.Sprintf("%d in a row", s.Failures)}
	case s.New && tried == 0 && s.FailingSince.IsZero():
		return State{Kind: "new", Word: New, Detail: "nothing sent yet"}
	case tried == 0:
		return State{Kind: "ok", Word: Active, Detail: "quiet for 24 h"}
	}
	return State{Kind: "ok", Word: Active}
}

// DeliveryState says how a delivery is. most is how many attempts it gets.
func DeliveryState(d *store.Delivery, most int) State {
	switch d.State {
	case store.Delivered:
		return State{Kind: "ok", Word: "delivered"}
	case store.Dead:
		return State{Kind: "bad", Word: "dead", Detail: "given up"}
	case store.Canceled:
		return State{Kind: "off", Word: "canceled", Detail: text.Line(d.LastError)}
	}
	why, at := waitWords(d)
	if d.Attempts == 0 {
		return State{Kind: "wait", Word: "pending", Detail: why, At: at}
	}
	detail := fmt.Sprint(d.Attempts + 1)
	if d.Attempts < most {
		detail += " of " + fmt.Sprint(most)
	}
	if why != "" {
		detail += ", " + why
	}
	return State{Kind: "warn", Word: "retry", Detail: detail, At: at}
}

// waitWords says what a pending delivery waits for, in so few words that a table has room, and the
// time that follows them; zero if that is not known.
func waitWords(d *store.Delivery) (why string, at time.Time) {
	at = d.WaitUntil
	switch d.Wait {
	case store.WaitRetry:
		return "", at
	case store.WaitUnderWay:
		return "under way", time.Time{}
	case store.WaitKey:
		return "behind a key", at
	case store.WaitRateLimit:
		return either(at, "rate limit, next try", "rate limit"), at
	case store.WaitThrottled:
		return either(at, "throttled, next try", "throttled"), at
	case store.WaitBreaker:
		return either(at, "down, next try", "endpoint down"), at
	case store.WaitPaused:
		return "webhook paused", time.Time{}
	case store.WaitUnverified:
		return "not agreed yet", time.Time{}
	case store.WaitPoll:
		return "for a poll", time.Time{}
	}
	if d.DueAt.After(time.Now()) {
		return "", d.DueAt
	}
	return "due", time.Time{}
}

// either returns the words that a time follows, or those without one.
func either(at time.Time, before, alone string) string {
	if at.IsZero() {
		return alone
	}
	return before
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
		return "the endpoint is down"
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

// ClassText is the name of a class of errors for people; empty for none.
func ClassText(class string) string {
	if class == "" {
		return ""
	}
	return classText(dispatcher.Class(class))
}

// Classes are the kinds of failures that a delivery can end in, with their names for people.
func Classes() [][2]string {
	var all [][2]string
	for _, class := range dispatcher.Classes() {
		all = append(all, [2]string{string(class), classText(class)})
	}
	return all
}

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

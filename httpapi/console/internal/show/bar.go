package show

import (
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/store"
)

// Bar tells of something that is going on with a webhook, and has what can be done about it.
type Bar struct {
	Kind     string // as that of a State
	Head     string
	At       time.Time // follows Head; zero is none
	Tail     string    // follows At
	Text     string
	Remedies []Remedy
}

// Remedy is a button that posts a form to a page, or a link.
type Remedy struct {
	Label  string
	Post   string      // the page that the form goes to; empty for a link
	Fields [][2]string // of the form
	Link   string      // a URL
}

// Reader is who looks at a page: what it may do, and whether it is the operator.
type Reader struct{ Edit, Test, Send, Operator bool }

// Facts are what Bars tells beside a webhook and its figures.
type Facts struct {
	Keys        int    // that sign at present
	Waiting     int    // events that are dead or were canceled since, and can be replayed
	WaitingMore bool   // there are more
	LastError   string // of the attempts that failed in a row, for people; empty if it is not known
	Advice      string // about that
}

// Bars returns what is going on with a webhook, the worst first; none if it just works.
func Bars(sub *store.Subscription, s *dispatcher.SubscriptionStats, f Facts, r Reader) []Bar {
	if sub.SealedWith != "" {
		return []Bar{unreadable(sub, r)}
	}
	var bars []Bar
	switch {
	case sub.Disabled():
		bars = append(bars, disabled(sub, f, r))
	case sub.Status == store.Unsubscribed:
		b := Bar{Kind: "off", Head: "Unsubscribed", At: sub.UpdatedAt, Tail: "by its owner.",
			Text: "Events that are published now are not kept for it."}
		bars = append(bars, b.post(r.Edit, "Enable", "enable", sub.ID))
	case sub.Status == store.Paused:
		b := Bar{Kind: "off", Head: "Paused", At: sub.UpdatedAt, Tail: "by its owner.",
			Text: "Nothing is sent. What is published is kept in its order: " +
				Plural(s.Pending, "delivery") + " so far."}
		bars = append(bars, b.post(r.Edit, "Resume", "resume", sub.ID))
	case sub.Status == store.Unverified:
		b := Bar{Kind: "wait", Head: "The endpoint has not agreed yet to get deliveries.",
			Text: "Nothing is sent. What is published is kept in its order: " +
				Plural(s.Pending, "delivery") + " so far."}
		bars = append(bars, b.post(r.Test, "Ask it now", "verify", sub.ID))
	case sub.URL == "":
		if s.Pending > 0 {
			bars = append(bars, Bar{Kind: "wait", At: s.OldestPending,
				Head: Plural(s.Pending, "delivery") + " to be read by poll, the oldest"})
		}
	case s.Breaker == dispatcher.BreakerOpen:
		bars = append(bars, breakerOpen(sub, s, f, r))
	default:
		if s.ThrottledUntil.After(time.Now()) || s.Pace >= SlowPace {
			bars = append(bars, throttled(sub, s, r))
		}
		if s.Failures > 0 && f.LastError != "" {
			bars = append(bars, Bar{Kind: "warn", Head: inARow(s, f) + ".", Text: f.Advice})
		}
	}
	if f.Keys > 1 {
		b := Bar{Kind: "wait", Head: Plural(f.Keys, "key") + " sign at present; the old one ends",
			At: sub.OverlapUntil, Text: "Give your receiver the new key before that."}
		if sub.OverlapUntil.IsZero() {
			b.Head = Plural(f.Keys, "key") + " sign at present."
		}
		bars = append(bars, b)
	}
	if f.Keys == 0 {
		b := Bar{Kind: "warn", Head: "Its deliveries are not signed.",
			Text: "A receiver can't tell them from what others send."}
		bars = append(bars, b.link(r.Edit, "Make a key", To("rotate", "id", sub.ID)))
	}
	return bars
}

func unreadable(sub *store.Subscription, r Reader) Bar {
	b := Bar{Kind: "bad", Head: "Its keys and headers can't be read, so nothing is sent.",
		Text: "Ask the operator, or delete it and add it anew."}
	if r.Operator {
		b.Text = "They are sealed with the key " + text.Line(sub.SealedWith) +
			", which this host does not have. Give it that key, or delete the webhook and add it anew."
	}
	return b.link(r.Edit, "Delete", To("delete", "id", sub.ID))
}

func disabled(sub *store.Subscription, f Facts, r Reader) Bar {
	b := Bar{Kind: "bad", Head: "Disabled", At: sub.UpdatedAt,
		Tail: "by the sender: " + text.Line(sub.DisabledReason) + ".",
		Text: "No event was missed so far."}
	all := "Enable and replay " + Number(f.Waiting)
	if f.Waiting > 0 {
		b.Text = Plural(f.Waiting, "event") + " wait to be replayed."
		if f.Waiting == 1 {
			b.Text = "1 event waits to be replayed."
		}
	}
	if f.WaitingMore {
		b.Text, all = "More than "+b.Text, "Enable and replay all"
	}
	b.Text += " Repair the endpoint, send a test, then enable it."
	b = b.post(r.Edit, "Enable", "enable", sub.ID)
	return b.post(r.Edit && r.Send && f.Waiting > 0, all, "enable", sub.ID, "then", "replay")
}

func breakerOpen(sub *store.Subscription, s *dispatcher.SubscriptionStats, f Facts, r Reader) Bar {
	b := Bar{Kind: "bad", Head: inARow(s, f) + "; next probe", At: s.NextProbeAt}
	if !b.At.After(time.Now()) {
		b.Head, b.At = b.Head+" now.", time.Time{}
	}
	if f.Advice != "" {
		b.Text = f.Advice + " "
	}
	b.Text += "One attempt at a time is made until one succeeds. " + waiting(s)
	return b.post(r.Test, "Probe now", "test", sub.ID)
}

func throttled(sub *store.Subscription, s *dispatcher.SubscriptionStats, r Reader) Bar {
	b := Bar{Kind: "warn", At: s.ThrottledUntil,
		Head: "The endpoint asks us to slow down; next attempt"}
	if !b.At.After(time.Now()) {
		b.Head = "The endpoint asks us to slow down: one attempt in " + Duration(s.Pace) + "."
		b.At = time.Time{}
	}
	b.Text = "It gets more as soon as it takes more. " + waiting(s) +
		" If its limit was raised, a test that succeeds ends the wait."
	return b.post(r.Test, "Test it now", "test", sub.ID)
}

// inARow says how often a webhook has failed, and how the last time.
func inARow(s *dispatcher.SubscriptionStats, f Facts) string {
	head := Plural(s.Failures, "failure") + " in a row"
	if f.LastError != "" {
		head += ", last: " + f.LastError
	}
	return head
}

// waiting says how many deliveries wait, and that they are not lost.
func waiting(s *dispatcher.SubscriptionStats) string {
	if s.Pending == 1 {
		return "Nothing is lost: 1 delivery waits."
	}
	return "Nothing is lost: " + Plural(s.Pending, "delivery") + " wait."
}

// post adds a button for a form with the webhook's ID and more fields, given as name, value, name,
// value, if the reader may use it.
func (b Bar) post(may bool, label, page, id string, more ...string) Bar {
	if !may {
		return b
	}
	fields := [][2]string{{"id", id}}
	for i := 0; i+1 < len(more); i += 2 {
		fields = append(fields, [2]string{more[i], more[i+1]})
	}
	b.Remedies = append(b.Remedies, Remedy{Label: label, Post: page, Fields: fields})
	return b
}

// link adds a link, if the reader may use it.
func (b Bar) link(may bool, label, url string) Bar {
	if may {
		b.Remedies = append(b.Remedies, Remedy{Label: label, Link: url})
	}
	return b
}

package store

import (
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/outhook/outhook/signing"
)

// Status says whether a subscription gets deliveries. Its values are spelled as in the HTTP API.
type Status string

const (
	Subscribed   Status = "Subscribed"
	Unsubscribed Status = "Unsubscribed" // it gets nothing, or is Disabled

	// Paused says that it gets events, whose deliveries stay pending: none is claimed until it is
	// Subscribed again.
	Paused Status = "Paused"

	// Unverified says that its endpoint has not proved yet that it wants deliveries. It gets
	// events, whose deliveries stay pending, as a Paused one does.
	Unverified Status = "Unverified"
)

// Subscription is an endpoint that a tenant's events go to. HTTP and JSON call it a webhook.
//
// Its slices and maps belong to the holder of the value: a Store copies what it takes and what it
// returns.
type Subscription struct {
	ID     string // a UUID in its canonical form
	Tenant string // the tenant that owns it; empty in a single-tenant host
	Name   string // for people; may be empty

	// URL is where deliveries are posted. If it is empty, nothing is posted: deliveries stay
	// pending until they are read by poll, and Claim gives out none.
	URL string

	// Description is for people, at most MaxDescription characters; Metadata has labels of the
	// owner's own, at most MaxMetadata. Neither is sent. Package sealed leaves both plain.
	Description string
	Metadata    map[string]string

	// Events are patterns (events.Match) of the event types that it gets. If empty, it gets all.
	Events []string

	// Filter is a condition on the payload, in JSON, as package filter has it. If empty, it gets all
	// events of its types. Fields are the paths of the payload that are sent, filter.MaxFields at
	// most; if empty, all of it is sent. Others hold for what has not been sent yet. Package sealed
	// leaves both plain.
	Filter string
	Fields []string

	// Rate is how many attempts a second its owner asks for, and Timeout how long an attempt may
	// take, from 0 to MaxDuration. If zero, it is what the host says.
	Rate    float64
	Timeout time.Duration

	// Headers are sent with every delivery.
	Headers map[string]string

	// Secrets are the keys that sign a delivery: all sign the standard header, and the first that is
	// symmetric signs the Airy one. If empty, deliveries are not signed. See Keys for a rotation.
	Secrets []signing.Secret

	// SealedWith names the key that Secrets and the values of Headers are encrypted with; it is
	// empty when they are plain. Package sealed sets it when it encrypts them and clears it when it
	// opens them; they don't open if it is still there. Other stores keep it like any field. A
	// subscription that has it must not be sent to: ciphertext would go out, or sign.
	SealedWith string

	// OverlapUntil is when a rotation of keys ends, in the years 1 to 9999: from then on only the
	// last of Secrets signs. Zero when no rotation is under way.
	OverlapUntil time.Time

	// Status is Subscribed, Paused, Unverified or Unsubscribed.
	Status Status

	// DisabledReason says why the sender unsubscribed it (it answered 410, or nothing succeeded for
	// days). It is empty unless the subscription is Unsubscribed, or when its owner unsubscribed
	// it.
	DisabledReason string

	// VerifiedAt is when the endpoint last proved that it wants deliveries, in the years 1 to 9999;
	// zero if it never did. NeedsProof says that it has to, before the subscription may be
	// Subscribed: also while it is Paused.
	VerifiedAt time.Time
	NeedsProof bool

	// AllowedRate is how many attempts a second the endpoint allows, beside the Rate of its owner.
	// If zero, any number.
	AllowedRate float64

	// The store sets these by its own clock: CreatedAt once, UpdatedAt at every change,
	// SubscribedAt whenever the subscription begins to collect events ([Subscription.Collects]).
	// UpdatedAt is later with each change, by a microsecond at least, whatever the clock says: it
	// tells the states of a subscription apart.
	CreatedAt, UpdatedAt, SubscribedAt time.Time
}

// NextUpdate returns the UpdatedAt of a change that is made now to a subscription that has this
// one.
func NextUpdate(updatedAt, now time.Time) time.Time {
	if least := updatedAt.Add(time.Microsecond); now.Before(least) {
		return least
	}
	return now
}

// Keys returns the secrets that sign at the time now: all of them, or only the last once a
// rotation's overlap is over. The result shares its array with s.Secrets.
func (s *Subscription) Keys(now time.Time) []signing.Secret {
	if len(s.Secrets) > 1 && !s.OverlapUntil.IsZero() && !now.Before(s.OverlapUntil) {
		return s.Secrets[len(s.Secrets)-1:]
	}
	return s.Secrets
}

// NewestKey returns the last of the secrets, which a rotation leaves; "" if there is none.
func (s *Subscription) NewestKey() signing.Secret {
	if len(s.Secrets) == 0 {
		return ""
	}
	return s.Secrets[len(s.Secrets)-1]
}

// PublicKeys returns the public keys of the Ed25519 pairs that sign at the time now, by which
// receivers verify deliveries. There are none while the secrets are sealed.
func (s *Subscription) PublicKeys(now time.Time) []signing.PublicKey {
	var keys []signing.PublicKey
	for _, secret := range s.Keys(now) {
		if key := secret.Public(); key != "" && s.SealedWith == "" {
			keys = append(keys, key)
		}
	}
	return keys
}

// Format writes s like %+v, for all verbs. Without it, %s of a Claim would show the keys: fmt calls
// no methods of what is behind a pointer that its verb does not fit.
func (s Subscription) Format(f fmt.State, _ rune) {
	type fields Subscription // has no Format
	fmt.Fprintf(f, "%+v", fields(s))
}

// Signed reports whether its deliveries carry signatures, that is whether it has a key.
func (s *Subscription) Signed() bool { return len(s.Secrets) > 0 }

// Collects reports whether events are stored for it as pending deliveries: it is Subscribed,
// Paused or Unverified.
func (s *Subscription) Collects() bool {
	return s.Status == Subscribed || s.Status == Paused || s.Status == Unverified
}

// Withheld returns why Claim gives out nothing of the subscription, whatever is pending; empty if
// it may. Every store goes by this.
func (s *Subscription) Withheld() Wait {
	switch {
	case s.Status == Unverified:
		return WaitUnverified
	case s.Status != Subscribed:
		return WaitPaused
	case s.URL == "":
		return WaitPoll
	}
	return ""
}

// Disabled reports whether the sender unsubscribed it. Events that it would have got meanwhile are
// kept as canceled deliveries, so that they can be replayed when the endpoint works again.
func (s *Subscription) Disabled() bool { return s.Status == Unsubscribed && s.DisabledReason != "" }

// Clone returns a copy that shares nothing with s.
func (s *Subscription) Clone() Subscription {
	c := *s
	c.Events, c.Fields = slices.Clone(s.Events), slices.Clone(s.Fields)
	c.Metadata = maps.Clone(s.Metadata)
	c.Headers = maps.Clone(s.Headers)
	c.Secrets = slices.Clone(s.Secrets)
	return c
}

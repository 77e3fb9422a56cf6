package check

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/outhook/outhook/dispatcher/internal/netguard"
	"github.com/outhook/outhook/dispatcher/internal/pull"
	"github.com/outhook/outhook/dispatcher/internal/send"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// The bounds of a subscription.
const (
	MaxURL     = 2048 // bytes
	MaxName    = 256  // characters
	MaxEvents  = 256  // patterns
	MaxSecrets = 8    // keys that sign at once, while several rotations overlap
)

// Subscription validates sub, whose stored form is was, and puts it in the form to store. Its
// errors are *events.InvalidError, or that of a sealed subscription.
//
// The URL and the events are checked only when they have changed: what the host's options allow may
// have changed as well, and a subscription from before must still be one that can be renamed,
// rotated and unsubscribed.
//
// A proof that the endpoint wants deliveries is of one URL: another one has none.
func (r *Rules) Subscription(sub, was *store.Subscription) error {
	err := sub.Validate()
	if err != nil {
		return err
	}
	if sub.URL == "" {
		err = r.checkNoURL(was)
	} else if sub.URL != was.URL {
		sub.URL, err = r.checkURL(sub.URL)
	}
	if err != nil {
		return err
	}
	if sub.URL != was.URL {
		sub.VerifiedAt = time.Time{}
	}
	if !slices.Equal(sub.Events, was.Events) {
		if sub.Events, err = r.checkPatterns(sub.Tenant, sub.Events); err != nil {
			return err
		}
	}
	if err := checkFilter(sub, was); err != nil {
		return err
	}
	if !utf8.ValidString(sub.Name) {
		return &events.InvalidError{Field: "name", Reason: "is not valid UTF-8; encode it as UTF-8"}
	}
	if n := utf8.RuneCountInString(sub.Name); n > MaxName {
		return &events.InvalidError{
			Field:  "name",
			Reason: fmt.Sprintf("has %d characters; at most %d are allowed", n, MaxName),
		}
	}
	if err := events.ValidateTenant(sub.Tenant); err != nil {
		return err
	}
	if err := r.OwnerMay.check(sub, was); err != nil {
		return err
	}
	if err := r.checkValues(sub, was); err != nil {
		return err
	}
	switch sub.Status {
	case store.Subscribed, store.Paused, store.Unverified:
		if sub.Status == store.Unverified && !r.Verify && was.Status != store.Unverified {
			return &events.InvalidError{Field: "status", Reason: fmt.Sprintf(
				"is %q, but this host asks for no proof; give %q", sub.Status, store.Subscribed)}
		}
		sub.DisabledReason = "" // a host that sets the Status alone need not know of it
	case store.Unsubscribed:
	default:
		return &events.InvalidError{
			Field: "status",
			Reason: fmt.Sprintf("is unknown; give %q, %q or %q", store.Subscribed, store.Paused,
				store.Unsubscribed),
		}
	}
	return nil
}

// Replaced returns what is stored in place of cur, which sub replaces. A proof of the same URL
// stays, and with it the rate that the endpoint has allowed, unless sub asks for a lower one.
func (r *Rules) Replaced(cur, sub *store.Subscription) store.Subscription {
	out := sub.Clone()
	if cur.URL == sub.URL {
		out.VerifiedAt = cur.VerifiedAt
	}
	if r.Handshake && !out.VerifiedAt.IsZero() && cur.Rate > 0 {
		out.Rate = Lesser(out.Rate, cur.Rate, 0)
	}
	return out
}

// checkValues validates the headers and the secrets. If they are sealed and the store has no key
// for them, they can be replaced as a whole, and then are plain: nobody could tell plain values
// from sealed ones otherwise. They are bound to the URL, so that can't be changed without them.
func (r *Rules) checkValues(sub, was *store.Subscription) error {
	if sub.SealedWith != "" {
		if sub.URL == was.URL && maps.Equal(sub.Headers, was.Headers) &&
			slices.Equal(sub.Secrets, was.Secrets) {
			return nil
		}
		if !replacesValues(sub, was) {
			return send.SealedError(was)
		}
		sub.SealedWith = ""
	}
	if err := checkHeaders(sub.Headers); err != nil {
		return err
	}
	return r.checkSecrets(sub.Secrets, was.Secrets)
}

// replacesValues reports whether nothing is left of the secrets and headers that were sealed.
func replacesValues(sub, was *store.Subscription) bool {
	for _, secret := range sub.Secrets {
		if slices.Contains(was.Secrets, secret) {
			return false
		}
	}
	sealed := slices.Collect(maps.Values(was.Headers))
	for _, value := range sub.Headers {
		if slices.Contains(sealed, value) {
			return false
		}
	}
	return true
}

// checkNoURL refuses a subscription without a URL where the host allows none, unless it is one
// already.
func (r *Rules) checkNoURL(was *store.Subscription) error {
	if r.AllowPull || was.ID != "" && was.URL == "" {
		return nil
	}
	return &events.InvalidError{Field: "url", Reason: "is missing, and this host has no webhooks " +
		"that are read by poll; give the address that deliveries are posted to"}
}

// NoURL is the error of a call that needs the endpoint of a subscription which has none.
func NoURL(so string) error {
	return &events.InvalidError{Field: "id", Reason: "names a webhook without a url, which is read " +
		"by poll; " + so}
}

// Poll says what is wrong with a request to read deliveries.
func Poll(most int, wait time.Duration) error {
	if most < 1 || most > pull.MaxItems {
		return &events.InvalidError{Field: "max",
			Reason: fmt.Sprintf("is %d; give 1 to %d", most, pull.MaxItems)}
	}
	if wait < 0 || wait > pull.MaxWait {
		return &events.InvalidError{Field: "wait",
			Reason: fmt.Sprintf("is %v; give at most %v, or 0 to answer at once", wait, pull.MaxWait)}
	}
	return nil
}

// checkURL returns the form in which a URL is stored.
func (r *Rules) checkURL(raw string) (string, error) {
	out, err := r.Guard.CheckURL(raw,
		netguard.URLRules{MaxBytes: MaxURL, RequireHTTPS: r.RequireHTTPS})
	if err != nil {
		return "", &events.InvalidError{Field: "url", Reason: err.Error()}
	}
	return out, nil
}

// checkPatterns validates a subscription's events and returns them without repetitions.
func (r *Rules) checkPatterns(tenant string, patterns []string) ([]string, error) {
	if len(patterns) > MaxEvents {
		return nil, &events.InvalidError{
			Field:  "events",
			Reason: fmt.Sprintf("has %d entries; at most %d are allowed", len(patterns), MaxEvents),
		}
	}
	var out []string
	known := r.known(tenant)
	for _, p := range patterns {
		if err := events.ValidatePattern(p); err != nil {
			return nil, err
		}
		if err := r.checkKnown(p, known); err != nil {
			return nil, err
		}
		if !slices.Contains(out, p) {
			out = append(out, p)
		}
	}
	return out, nil
}

// checkKnown refuses a pattern that matches none of the known types, if the host has a catalogue. A
// type that is hidden from the tenant is refused in the same words as one that there is not.
func (r *Rules) checkKnown(pattern string, known []string) error {
	if len(r.Types) == 0 ||
		slices.ContainsFunc(known, func(name string) bool { return events.Match(pattern, name) }) {
		return nil
	}
	return &events.InvalidError{
		Field: "events",
		Reason: fmt.Sprintf("names %q, which is not published here; the types are %s",
			pattern, strings.Join(known, ", ")),
	}
}

// checkSecrets validates the keys of a subscription whose stored ones are was. Its error never
// repeats one.
func (r *Rules) checkSecrets(secrets, was []signing.Secret) error {
	if len(secrets) > MaxSecrets {
		return &events.InvalidError{
			Field: "signature_key",
			Reason: fmt.Sprintf(
				"would be one of %d at once; at most %d are allowed: wait for a rotation to end",
				len(secrets),
				MaxSecrets,
			),
		}
	}
	for _, s := range secrets {
		if err := s.Validate(); err != nil {
			return &events.InvalidError{Field: "signature_key", Reason: err.Error()}
		}
		// Only new ones, as with the URL and the events: the option may have changed since, and the
		// old key of a rotation must go on signing.
		if s.Len() < r.MinSecret && !slices.Contains(was, s) {
			return &events.InvalidError{
				Field: "signature_key",
				Reason: fmt.Sprintf("is shorter than %d bytes; use a random one, such as %s", r.MinSecret,
					`"whsec_" and the base64 of 32 random bytes`),
			}
		}
	}
	return nil
}

// SetStatus returns a change of the status of a subscription that is not unsubscribed.
func SetStatus(status store.Status) func(*store.Subscription) error {
	return func(sub *store.Subscription) error {
		if err := Collects(sub); err != nil {
			return fmt.Errorf("dispatcher: %w", err)
		}
		sub.Status = status
		return nil
	}
}

// Collects returns store.ErrConflict, with what to do, if a subscription gets nothing.
func Collects(sub *store.Subscription) error {
	if !sub.Collects() {
		return fmt.Errorf("%w: the subscription is unsubscribed; subscribe it first",
			store.ErrConflict)
	}
	return nil
}

package pgstore

import (
	"time"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// subscription is a stored subscription.
type subscription struct {
	store.Subscription
	num     int64
	version int64

	headerNames, headerValues []string
	secrets                   [][]byte
	overlap, subscribed       *time.Time
}

// columns returns what a row of the table is scanned into. tidy must follow.
func (s *subscription) columns() []any {
	return []any{&s.num, &s.ID, &s.Tenant, &s.Name, &s.URL, &s.Events, &s.headerNames, &s.headerValues, &s.secrets,
		&s.overlap, &s.Status, &s.DisabledReason, &s.CreatedAt, &s.UpdatedAt, &s.subscribed, &s.version,
		&s.SealedWith}
}

// tidy makes the record of what was scanned.
func (s *subscription) tidy() {
	if len(s.Events) == 0 {
		s.Events = nil
	}
	if len(s.headerNames) > 0 {
		s.Headers = make(map[string]string, len(s.headerNames))
		for i, name := range s.headerNames {
			s.Headers[name] = s.headerValues[i]
		}
	}
	for _, secret := range s.secrets {
		s.Secrets = append(s.Secrets, signing.Secret(secret))
	}
	s.OverlapUntil, s.SubscribedAt = orZero(s.overlap), orZero(s.subscribed)
	s.CreatedAt, s.UpdatedAt = s.CreatedAt.UTC(), s.UpdatedAt.UTC()
}

// orZero is the time, or the zero one where there is none.
func orZero(t *time.Time) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.UTC()
}

// orNull is the opposite of orZero.
func orNull(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = inRange(t)
	return &t
}

// settings returns the arguments of a statement that stores what a caller can set but the identity:
// name, url, events, header names, header values, secrets.
func settings(sub *store.Subscription) []any {
	names, values := make([]string, 0, len(sub.Headers)), make([]string, 0, len(sub.Headers))
	for name, value := range sub.Headers {
		names, values = append(names, name), append(values, value)
	}
	secrets := make([][]byte, len(sub.Secrets))
	for i, secret := range sub.Secrets {
		secrets[i] = []byte(secret)
	}
	patterns := sub.Events
	if patterns == nil {
		patterns = []string{}
	}
	return []any{sub.Name, sub.URL, patterns, names, values, secrets}
}

package record

import (
	"time"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// Subscription is a stored subscription: a row of the table, as it is scanned. Each is scanned
// once: complete appends to what is there.
type Subscription struct {
	store.Subscription
	Num     int64
	Version int64 // rises with each update

	headerNames, headerValues []string
	secrets                   [][]byte
	overlap, subscribed       *time.Time
	settings                  *OwnerSettings
}

// columns returns what a row of the table is scanned into. complete must follow.
func (s *Subscription) columns() []any {
	return []any{
		&s.Num, &s.ID, &s.Tenant, &s.Name, &s.URL, &s.Events, &s.headerNames, &s.headerValues,
		&s.secrets, &s.overlap, &s.Status, &s.DisabledReason, &s.CreatedAt, &s.UpdatedAt,
		&s.subscribed, &s.Version, &s.SealedWith, &s.settings,
	}
}

// complete makes the record of what was scanned. nil stands for none in the contract, and an empty
// array in the table, whose columns are NOT NULL.
func (s *Subscription) complete() {
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
	s.OverlapUntil, s.SubscribedAt = Time(s.overlap), Time(s.subscribed)
	s.CreatedAt, s.UpdatedAt = s.CreatedAt.UTC(), s.UpdatedAt.UTC()
	s.settings.SetOn(&s.Subscription)
}

// Row is a row of a result: of one statement or of many rows.
type Row interface{ Scan(dest ...any) error }

// Scan reads a subscription, and what follows it in the row. Its columns are the first of each
// statement that returns subscriptions, in the same order.
func (s *Subscription) Scan(row Row, more ...any) error {
	if err := row.Scan(append(s.columns(), more...)...); err != nil {
		return err
	}
	s.complete()
	return nil
}

// SealedAndSettings returns the last arguments of a statement that stores a subscription: what it
// is sealed with, and what few subscriptions have.
func SealedAndSettings(sub *store.Subscription) []any {
	return []any{sub.SealedWith, settingsOf(sub)}
}

// Settings returns the arguments of a statement that stores what most callers set but the identity:
// name, url, events, header names, header values, secrets.
func Settings(sub *store.Subscription) []any {
	names, values := make([]string, 0, len(sub.Headers)), make([]string, 0, len(sub.Headers))
	// In any order, as a map has none. A name and its value have the same index.
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

// Whole returns a subscription with its health as the arguments of the statement that imports it,
// in the order of the parameters in importsubscription.sql.
func Whole(sub *store.Subscription, h *store.Health) []any {
	args := append([]any{sub.ID, sub.Tenant}, Settings(sub)...)
	args = append(args, TimeOrNull(sub.OverlapUntil), string(sub.Status), sub.DisabledReason,
		sub.CreatedAt, sub.UpdatedAt, TimeOrNull(sub.SubscribedAt))
	columns := HealthColumns(h)
	return append(append(args, columns[:]...), SealedAndSettings(sub)...)
}

package events

import "time"

// validateWindow checks NotBefore and ExpiresAt.
func (e *Event) validateWindow() error {
	if e.NotBefore.IsZero() && e.ExpiresAt.IsZero() { // as of nearly all
		return nil
	}
	for _, w := range [...]struct {
		field string
		at    time.Time
	}{{"not_before", e.NotBefore}, {"expires_at", e.ExpiresAt}} {
		// The beginning of 1970 itself is 0, by which stores say that there is none.
		if sec := w.at.Unix(); !w.at.IsZero() &&
			(sec < 0 || sec > lastSecond || w.at.UnixMilli() == 0) {
			return &InvalidError{Field: w.field,
				Reason: "is not from 1970 through the year 9999; give such a time, or none"}
		}
	}
	if !e.NotBefore.IsZero() && !e.ExpiresAt.IsZero() &&
		e.ExpiresAt.UnixMilli() <= e.NotBefore.UnixMilli() {
		return &InvalidError{Field: "expires_at",
			Reason: "is not after not_before; give a later time, or none"}
	}
	return nil
}

// Millisecond returns a time as a store keeps it: in UTC, without the digits below a millisecond.
// The zero time stays zero.
func Millisecond(t time.Time) time.Time {
	if t.IsZero() {
		return time.Time{}
	}
	return time.UnixMilli(t.UnixMilli()).UTC()
}

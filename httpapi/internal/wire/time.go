package wire

import "time"

// Timestamp is a time in a response: ISO 8601 in UTC with milliseconds. The zero value means none.
type Timestamp time.Time

// MarshalText implements [encoding.TextMarshaler]. Milliseconds are always three digits, so that
// the times of a response sort as text.
func (t Timestamp) MarshalText() ([]byte, error) {
	return time.Time(t).UTC().AppendFormat(nil, "2006-01-02T15:04:05.000Z"), nil
}

// IsZero makes encoding/json omit the zero value (omitzero).
func (t Timestamp) IsZero() bool { return time.Time(t).IsZero() }

// millis returns a duration in whole milliseconds, rounded.
func millis(d time.Duration) int64 { return d.Round(time.Millisecond).Milliseconds() }

// phase returns the duration of a part of an attempt; nil if it is zero.
func phase(d time.Duration) *int64 {
	if d == 0 {
		return nil
	}
	ms := millis(d)
	return &ms
}

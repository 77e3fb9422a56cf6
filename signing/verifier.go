package signing

import (
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// DefaultTolerance is how far a delivery's timestamp may be from the receiver's clock by default.
const DefaultTolerance = 5 * time.Minute

// The reasons why Verifier.Verify refuses a delivery. The last is a mistake of the receiver, not of
// the sender.
var (
	// ErrNoSignature means that there is no signature to verify.
	ErrNoSignature = errors.New("signing: no signature")
	// ErrBadSignature means that a signature was made with another key or for other bytes, or that
	// the signature, or a header that it covers, is malformed.
	ErrBadSignature = errors.New("signing: signature does not match")
	// ErrStale means that the signature is valid, but its time is further from now than Tolerance:
	// a third party has sent the delivery again, or one of the clocks is wrong.
	ErrStale = errors.New("signing: timestamp is too far from now")
	// ErrNoKey means that the Verifier has no key.
	ErrNoKey = errors.New("signing: the verifier has no key")
)

// A Verifier tells a receiver whether a delivery was signed with one of its keys. The zero value
// has no key and refuses every delivery. It is safe for concurrent use as long as its fields do not
// change.
type Verifier struct {
	// Keys are the keys that may have signed, in any order: the old and the new one while a key
	// rotates. Empty ones are ignored, so they verify nothing. The others must pass Validate.
	Keys []Secret

	// Tolerance is how far webhook-timestamp may be from now, in either direction. If zero,
	// DefaultTolerance; if negative, everything is stale.
	Tolerance time.Duration

	// RequireStandard refuses deliveries without webhook-signature. Set it when the sender always
	// sends that header, as outhook does: then an intercepted delivery can't be sent again later.
	// If false, the Airy signature alone is enough, which does not protect against that.
	RequireStandard bool

	// MaxBody is the largest body that Handler reads, in bytes. If zero, DefaultMaxBody.
	MaxBody int64
}

// Verify returns nil if the headers have a signature of this body by one of the keys. The body must
// be the bytes as they were received, not parsed and encoded again.
//
//   - When webhook-signature is there, it decides, together with webhook-id and webhook-timestamp,
//     which it covers; the Airy signature isn't looked at. One of its v1 signatures must match;
//     those of other versions are ignored. Then the timestamp must be within Tolerance.
//   - When it is not, X-Airy-Content-Signature decides, unless RequireStandard is set. It covers
//     the body only: don't believe webhook-id or webhook-timestamp then. (So stripping
//     webhook-signature from a delivery gains an attacker no more than Airy's own scheme would
//     allow, and adding one gains nothing.)
//
// A header that occurs several times may hold the right signature in any of its values, but
// webhook-id and webhook-timestamp must each be there once, the id without a dot. webhook-attempt
// is never covered. Comparisons take constant time. The keys of h are canonical, as net/http makes
// them.
//
// The error wraps ErrNoSignature, ErrBadSignature, ErrStale (only if the signature matched) or
// ErrNoKey, or says which key is unusable. It never contains a key or a valid signature.
func (v Verifier) Verify(h http.Header, body []byte) error {
	keys, err := v.usableKeys()
	if err != nil {
		return err
	}
	if signatures := h.Values(HeaderSignature); len(signatures) > 0 {
		return v.verifyStandard(keys, signatures, h, body)
	}
	if signatures := h.Values(HeaderAiry); len(signatures) > 0 && !v.RequireStandard {
		return verifyAiry(keys, signatures, body)
	}
	return ErrNoSignature
}

// usableKeys returns the keys that aren't empty. There must be one, and all must be valid.
func (v Verifier) usableKeys() ([]Secret, error) {
	keys := make([]Secret, 0, len(v.Keys))
	for i, key := range v.Keys {
		if key == "" {
			continue
		}
		if err := key.Validate(); err != nil {
			return nil, fmt.Errorf("signing: the verifier's key %d %w", i, err)
		}
		keys = append(keys, key)
	}
	if len(keys) == 0 {
		return nil, ErrNoKey
	}
	return keys, nil
}

// verifyAiry checks the values of X-Airy-Content-Signature.
func verifyAiry(keys []Secret, signatures []string, body []byte) error {
	for _, key := range keys {
		if anyEqual(signatures, Airy(key, body)) {
			return nil
		}
	}
	return ErrBadSignature
}

// verifyStandard checks the values of webhook-signature and what they cover.
func (v Verifier) verifyStandard(keys []Secret, signatures []string, h http.Header,
	body []byte) error {
	id, err := single(h, HeaderID)
	if err != nil {
		return err
	}
	if strings.Contains(id, ".") { // an attacker could choose where the id ends and the time begins
		return fmt.Errorf("%w: %s has a dot", ErrBadSignature, HeaderID)
	}
	timestamp, err := single(h, HeaderTimestamp)
	if err != nil {
		return err
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return fmt.Errorf("%w: %s is not a whole number of seconds", ErrBadSignature, HeaderTimestamp)
	}
	if !matchesStandard(keys, signatures, []byte(id+"."+timestamp+"."), body) {
		return ErrBadSignature
	}
	if !v.isFresh(time.Unix(seconds, 0)) {
		return ErrStale
	}
	return nil
}

// matchesStandard reports whether one of the keys made one of the v1 signatures, for the prefix
// "<id>.<seconds>.".
func matchesStandard(keys []Secret, signatures []string, prefix, body []byte) bool {
	var made []string
	for _, value := range signatures {
		for s := range strings.FieldsSeq(value) {
			if text, ok := strings.CutPrefix(s, versionHMAC); ok {
				made = append(made, text)
			}
		}
	}
	for _, key := range keys {
		want := standardMAC(key, prefix, body)
		if anyEqual(made, string(want[:])) {
			return true
		}
	}
	return false
}

// isFresh reports whether at is within the tolerance of now.
func (v Verifier) isFresh(at time.Time) bool {
	tolerance := v.Tolerance
	if tolerance == 0 {
		tolerance = DefaultTolerance
	}
	now := time.Now()
	return !at.Before(now.Add(-tolerance)) && !at.After(now.Add(tolerance))
}

// single returns the value of a header that must be there exactly once.
func single(h http.Header, name string) (string, error) {
	switch values := h.Values(name); {
	case len(values) == 0 || values[0] == "":
		return "", fmt.Errorf("%w: %s is missing", ErrBadSignature, name)
	case len(values) > 1:
		return "", fmt.Errorf("%w: %s is there twice", ErrBadSignature, name)
	default:
		return values[0], nil
	}
}

// anyEqual reports whether one of got is want, in constant time.
func anyEqual(got []string, want string) bool {
	for _, g := range got {
		if subtle.ConstantTimeCompare([]byte(g), []byte(want)) == 1 {
			return true
		}
	}
	return false
}

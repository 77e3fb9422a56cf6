package signing

import (
	"crypto/ed25519"
	"crypto/subtle"
	"errors"
	"fmt"
	"net/http"
	"slices"
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
	// ErrStale means that webhook-timestamp is further from now than Tolerance: a third party has
	// sent the delivery again, or one of the clocks is wrong. The signature has not been compared.
	ErrStale = errors.New("signing: timestamp is too far from now")
	// ErrNoKey means that the Verifier has no key.
	ErrNoKey = errors.New("signing: the verifier has no key")
)

// MaxSignatures is how many v1a signatures a delivery may carry to a Verifier with a public key:
// each takes a verification per key, and a stranger may send a header that is full of them. It is
// more than a sender of this module makes.
const MaxSignatures = 16

// A Verifier tells a receiver whether a delivery was signed with one of its keys. The zero value
// has no key and refuses every delivery. It is safe for concurrent use as long as its fields do not
// change.
type Verifier struct {
	// Keys are the keys that may have signed, in any order: the old and the new one while a key
	// rotates. Empty ones are ignored, so they verify nothing. The others must pass Validate. A
	// private Ed25519 key verifies as its public one does.
	Keys []Secret

	// PublicKeys are the public keys "whpk_…" of senders that sign with Ed25519, beside Keys or
	// instead. They verify v1a signatures and nothing else. Empty ones are ignored; the others must
	// pass Validate. Take them from the sender by another way than a delivery.
	PublicKeys []PublicKey

	// Tolerance is how far webhook-timestamp may be from now, in either direction. If zero,
	// DefaultTolerance; if negative, everything is stale.
	Tolerance time.Duration

	// AllowAiry also takes deliveries that have X-Airy-Content-Signature and no webhook-signature,
	// as Airy sends them. Nothing but the body is signed then, so anyone who has seen a delivery
	// can send it again at any time: with AllowAiry, removing headers from an old delivery of
	// outhook makes it valid again. If false, webhook-signature is required.
	AllowAiry bool

	// MaxBody is the largest body that Handler reads, in bytes. If zero, DefaultMaxBody.
	MaxBody int64
}

// Verify returns nil if the headers have a signature of this body by one of the keys. The body must
// be the bytes as they were received, not parsed and encoded again.
//
//   - webhook-signature decides, together with webhook-id and webhook-timestamp, which it covers;
//     the Airy signature isn't looked at. The timestamp must be within Tolerance, and one of the v1
//     signatures must match one of Keys, or one of the v1a signatures, MaxSignatures at most, one
//     of PublicKeys; those of other versions are ignored.
//   - If it is missing and AllowAiry is set, X-Airy-Content-Signature decides. It covers the body
//     only: don't believe webhook-id or webhook-timestamp then.
//
// A header that occurs several times may hold the right signature in any of its values, but
// webhook-id and webhook-timestamp must each be there once, the id without a dot. webhook-attempt
// is never covered. Comparisons take constant time. The keys of h are canonical, as net/http makes
// them.
//
// The error wraps ErrNoSignature, ErrBadSignature, ErrStale or ErrNoKey, or says which key is
// unusable. It never contains a key or a valid signature.
func (v Verifier) Verify(h http.Header, body []byte) error {
	c, err := v.readHeader(h)
	if err != nil {
		return err
	}
	return c.check(body)
}

// claimed is the signature that the headers of a delivery claim to be that of its body.
type claimed struct {
	keys       keyring
	signatures []string // without their version; one must match
	asymmetric []string // those of v1a
	prefix     []byte   // "<id>.<seconds>.", which the standard scheme signs too
	airy       bool
}

// keyring is what a Verifier verifies with. The two kinds never meet: a public key that were taken
// for an HMAC key would let everybody sign.
type keyring struct {
	symmetric []Secret
	public    []ed25519.PublicKey
}

// readHeader returns what the headers claim, or the reason why no body can be verified with them.
// It needs no body, so that a receiver need not read one for nothing.
func (v Verifier) readHeader(h http.Header) (*claimed, error) {
	keys, err := v.usableKeys()
	if err != nil {
		return nil, err
	}
	if signatures := h.Values(HeaderSignature); len(signatures) > 0 {
		return v.readStandard(keys, signatures, h)
	}
	signatures := h.Values(HeaderAiry)
	switch {
	case len(signatures) == 0:
		return nil, ErrNoSignature
	case !v.AllowAiry:
		return nil, fmt.Errorf("%w: %s is missing, and %s alone is not enough here", ErrNoSignature,
			HeaderSignature, HeaderAiry)
	case !slices.ContainsFunc(signatures, func(s string) bool { return len(s) == airyTextLen }):
		return nil, ErrBadSignature
	}
	return &claimed{keys: keys, signatures: signatures, airy: true}, nil
}

// usableKeys returns the keys that aren't empty. There must be one, and all must be valid.
func (v Verifier) usableKeys() (keyring, error) {
	ring := keyring{symmetric: make([]Secret, 0, len(v.Keys))}
	for i, key := range v.Keys {
		if key == "" {
			continue
		}
		if err := key.Validate(); err != nil {
			return keyring{}, fmt.Errorf("signing: the verifier's key %d %w", i, err)
		}
		if public := key.Public(); public != "" {
			ring.public = append(ring.public, public.bytes())
		} else {
			ring.symmetric = append(ring.symmetric, key)
		}
	}
	for i, key := range v.PublicKeys {
		if key == "" {
			continue
		}
		if err := key.Validate(); err != nil {
			return keyring{}, fmt.Errorf("signing: the verifier's public key %d %w", i, err)
		}
		ring.public = append(ring.public, key.bytes())
	}
	if len(ring.symmetric)+len(ring.public) == 0 {
		return keyring{}, ErrNoKey
	}
	return ring, nil
}

// readStandard is readHeader for webhook-signature, whose values are given, and what it covers.
func (v Verifier) readStandard(
	keys keyring, values []string, h http.Header,
) (*claimed, error) {
	id, err := single(h, HeaderID)
	if err != nil {
		return nil, err
	}
	if strings.Contains(id, ".") { // an attacker could choose where the id ends and the time begins
		return nil, fmt.Errorf("%w: %s has a dot", ErrBadSignature, HeaderID)
	}
	timestamp, err := single(h, HeaderTimestamp)
	if err != nil {
		return nil, err
	}
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return nil, fmt.Errorf("%w: %s is not a whole number of seconds", ErrBadSignature,
			HeaderTimestamp)
	}
	c := &claimed{keys: keys}
	for _, value := range values {
		for s := range strings.FieldsSeq(value) {
			c.add(s)
		}
	}
	switch {
	case len(c.asymmetric) > MaxSignatures:
		return nil, fmt.Errorf("%w: %s has more than %d v1a signatures", ErrBadSignature,
			HeaderSignature, MaxSignatures)
	case len(c.signatures)+len(c.asymmetric) == 0:
		return nil, ErrBadSignature
	case !v.isFresh(time.Unix(seconds, 0)):
		return nil, ErrStale
	}
	// The timestamp as it was written, and not as a number: "+5" is not what the sender signed.
	c.prefix = []byte(id + "." + timestamp + ".")
	return c, nil
}

// add takes a signature that one of the keys could have made.
func (c *claimed) add(signature string) {
	text, isHMAC := strings.CutPrefix(signature, versionHMAC)
	if isHMAC && len(text) == macTextLen && len(c.keys.symmetric) > 0 {
		c.signatures = append(c.signatures, text)
	}
	text, isEd25519 := strings.CutPrefix(signature, versionEd25519)
	if isEd25519 && len(text) == ed25519TextLen && len(c.keys.public) > 0 {
		c.asymmetric = append(c.asymmetric, text)
	}
}

// check returns ErrBadSignature unless one of the keys made one of the signatures for the body.
func (c *claimed) check(body []byte) error {
	for _, key := range c.keys.symmetric {
		var want string
		if c.airy {
			want = Airy(key, body)
		} else {
			text := standardMAC(key, c.prefix, body)
			want = string(text[:])
		}
		if anyEqual(c.signatures, want) {
			return nil
		}
	}
	if len(c.asymmetric) == 0 {
		return ErrBadSignature
	}
	message := slices.Concat(c.prefix, body)
	for _, key := range c.keys.public {
		for _, signature := range c.asymmetric {
			if ed25519Matches(key, message, signature) {
				return nil
			}
		}
	}
	return ErrBadSignature
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

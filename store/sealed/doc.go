// Package sealed encrypts the secrets of subscriptions and the values of their headers at rest, in
// any store. It is a [store.Store] around another one:
//
//	secret, err := sealed.ParseSecret(os.Getenv("OUTHOOK_KEY")) // openssl rand -base64 32
//	…
//	s, err := sealed.New(file, sealed.Key{ID: "2026-01", Secret: secret})
//	…
//	d, err := dispatcher.New(s, nil)
//
// Callers of the wrapper see plaintext; the inner store gets sealed values. All other methods are
// those of the inner store. The host closes the inner store, and uses it to enqueue in transactions
// of its own.
//
// # How
//
// Each value is sealed by itself, with AES-256-GCM (NIST SP 800-38D) under the first key and a
// random nonce of 96 bits, and stored as printable ASCII: [Prefix], the key's ID, and nonce,
// ciphertext and tag in base64. The subscription's ID and the field (for a header, its name too)
// are authenticated with it. So an attacker who can write to the store can neither change a value
// nor move it to another subscription or header: it does not open there. The attacker can put back
// an older value of the same field, remove one, or write one that is not sealed. Seal at most 2³²
// values with one key: that is the bound for random nonces.
//
// URLs, names, events and responses are not sealed. A sealed value shows the length of the
// plaintext.
//
// # Turning it on, and changing keys
//
// A value that does not begin with Prefix was stored before; it is used as it is until the
// subscription is written again. [Store.Reseal] writes all. Likewise, after a change of keys the
// first key seals new values, and the others open old ones:
//
//  1. sealed.New(s, old, new) in every replica, so that each can open what the next step seals;
//  2. sealed.New(s, new, old) in every replica;
//  3. Reseal, once;
//  4. sealed.New(s, new).
//
// What a store overwrites stays in its file until the space is reused: old plaintext, and values
// sealed with the old key. If that matters, compact the file, or run VACUUM FULL on the tables.
// Backups keep the old values too.
//
// # Values that do not open
//
// If the key is missing, or a value was tampered with, Subscription, Subscriptions,
// UpdateSubscription and Reseal return an error that names subscription, field and key ID; it wraps
// [store.ErrCorrupt]. DeleteSubscription works. Claim does not fail, because that would stop the
// deliveries of all other subscriptions: it returns the claim with the values sealed, as they are
// in the store. A sender must check for Prefix and release such a claim, as the dispatcher does;
// otherwise it would send ciphertext in a header.
//
// # Memory
//
// Opened values are cached, so that a busy subscription is not decrypted for every claim: those of
// at most 1,024 subscriptions. A subscription leaves the cache when it is changed or deleted
// through this Store, and at the first Claim that comes three minutes or more after its last use.
package sealed

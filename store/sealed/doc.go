// Package sealed encrypts what subscriptions keep secret, at rest, in any store: their secrets and
// the values of their headers. It is a [store.Store] around another:
//
//	secret, err := sealed.ParseSecret(os.Getenv("OUTHOOK_KEY")) // openssl rand -base64 32
//	…
//	s, err := sealed.New(file, sealed.Key{ID: "2026-01", Secret: secret})
//	…
//	d, err := dispatcher.New(s, nil)
//
// Above the wrapper everything is plain, below it everything is sealed. Other methods go to the
// inner store as they are; it stays the host's to close, and its method Tx makes the [store.Tx] of
// a transaction of the host's own.
//
// # How
//
// Each value is sealed by itself, with AES-256-GCM (NIST SP 800-38D) under the first key and a
// random nonce of 96 bits, and kept as nonce, ciphertext and tag in base64. The key's ID is in
// [store.Subscription.SealedWith]: all values of a subscription are sealed with one key. No value
// is told by how it looks, so any text can be a secret or a header. The subscription's ID and the
// field (for a header, its name too) are authenticated with the value, so somebody who can write to
// the store can neither change it nor move it to another subscription or header: it does not open
// there. They can put back older values of the same fields, leave one out, or make the whole
// subscription a plain one. At most 2³² values should be sealed with one key: that is what random
// nonces are good for.
//
// Not sealed are URLs, names, events and answers. The length of a value can be told from its sealed
// form.
//
// # Turning it on, and changing keys
//
// A subscription without SealedWith is from before, and passes as it is until something writes it
// again; [Store.Reseal] writes all. Likewise a new key seals what is written from now on while the
// others open what is there:
//
//  1. sealed.New(s, old, new) in every replica, so that each can open what the next step seals;
//  2. sealed.New(s, new, old) in every replica;
//  3. Reseal, once;
//  4. sealed.New(s, new).
//
// What a store overwrites stays in its file until the space is used again: plaintext from before,
// and values under the old key. Copy the file afresh, or vacuum the tables in full, where that
// matters; and so do backups.
//
// # Values that do not open
//
// When the key is missing, or the value was tampered with, Subscription, Subscriptions,
// UpdateSubscription and Reseal return an error that names subscription, field and key ID; it wraps
// [store.ErrCorrupt]. DeleteSubscription works. Claim must not fail, as that would stop everybody
// else's deliveries: it returns the claim with the subscription as it is stored, SealedWith and
// all. A sender must look at SealedWith first and give such a claim back, as the dispatcher does;
// ciphertext in a header would otherwise go out.
//
// # Memory
//
// So that a busy subscription is not decrypted with every claim, what was opened for claims is
// kept: of 1,024 subscriptions at most, until it is changed or deleted here, and otherwise to the
// first Claim that comes three minutes after its last use or later.
package sealed

// Package sealed encrypts what subscriptions keep secret, at rest, in any store: their secrets and
// the values of their headers; and the details of attempts. It is a [store.Store] around another:
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
// is told by how it looks, so any text can be a secret or a header. With each value are
// authenticated the tenant, the ID and the URL of its subscription, where the value stands (which
// secret, or the header's name), how many secrets there are and which headers. So somebody who can
// write to the store can neither change a value nor have it sent to a URL of theirs, move it to
// another subscription or header, leave another out or change the order of secrets: nothing of the
// subscription opens then. They can put back older values of the same subscription and URL, or make
// the whole subscription a plain one. At most 2³² values should be sealed with one key: that is
// what random nonces are good for.
//
// The details of attempts ([store.AttemptDetail]) are sealed in the same way, each as a whole and
// with its key's ID, and open in their own delivery alone.
//
// Not sealed are URLs, names, descriptions, metadata, events, filters, fields and the bodies of
// answers: a store searches and evaluates some of them. The length of a value can be told from its
// sealed form.
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
// Details are written once: those of attempts that were made before the last step open no more.
//
// What a store overwrites stays in its file until the space is used again: plaintext from before,
// and values under the old key. Copy the file afresh, or vacuum the tables in full, where that
// matters; and so do backups.
//
// # Values that do not open
//
// When the key is missing, or somebody has changed the subscription in the store, this is the
// trouble of that subscription alone. Every method that returns it returns it as it is stored, with
// its SealedWith, which is empty in all that opens. A sender must look at SealedWith first and give
// such a claim back, as the dispatcher does; ciphertext in a header would otherwise go out.
//
// Such a subscription can be deleted. It can be updated, as long as the secrets, the headers and
// the URL stay as they are, or all secrets and headers are given anew: see
// [Store.UpdateSubscription]. Reseal leaves it alone, and returns an error that names subscription,
// field and key ID and wraps [store.ErrSealed].
//
// # Memory
//
// So that a busy subscription is not decrypted with every claim, what was opened for claims is
// kept: of 1,024 subscriptions at most, until it is changed or deleted here, and otherwise to the
// first Claim that comes three minutes after its last use or later.
package sealed

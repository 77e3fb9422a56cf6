package verify

import "github.com/outhook/outhook/store"

// DecideStatus decides the status of a subscription that is about to be stored, whose stored form
// is was, the zero one if it is new. required says that endpoints must prove that they want
// deliveries.
//
// A proof is of a URL: with another one, its VerifiedAt is gone by now. A host can set that itself,
// for an endpoint that it knows, and make it zero to ask for a new proof. What was
// subscribed before the host required proofs stays so, through pauses too, until its URL changes or
// it is subscribed anew. A subscription without a URL needs no proof, as nothing is sent.
func DecideStatus(sub, was *store.Subscription, required bool) {
	sub.NeedsProof = sub.URL != "" && sub.VerifiedAt.IsZero() &&
		(sub.Status == store.Unverified || required && asksAnew(sub, was))
	switch {
	case !required: // what is Unverified from before stays so
	case sub.Status == store.Unverified && !sub.NeedsProof:
		sub.Status = store.Subscribed
	case sub.Status == store.Subscribed && sub.NeedsProof:
		sub.Status = store.Unverified
	}
}

// asksAnew reports whether a subscription without a proof needs one, where proofs are required.
func asksAnew(sub, was *store.Subscription) bool {
	return was.NeedsProof || was.Status == store.Unverified ||
		sub.URL != was.URL || // a new one, too
		!was.VerifiedAt.IsZero() ||
		was.Status == store.Unsubscribed && sub.Status != store.Unsubscribed
}

// Agreed reports whether something may be sent to the endpoint of a subscription, on a host that
// asks for proof. One that needs none is from before the host asked for it.
func Agreed(sub *store.Subscription) bool {
	switch sub.Status {
	case store.Unverified:
		return false
	case store.Subscribed:
		return true
	case store.Paused:
		return !sub.NeedsProof
	}
	return !sub.VerifiedAt.IsZero() // Subscribe would make it Unverified
}

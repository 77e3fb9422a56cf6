package sealed

import (
	"context"
	"encoding/binary"
	"fmt"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/detail"
)

// Finish implements [store.Queue]. It seals the details of attempts.
func (s *Store) Finish(ctx context.Context, outcomes ...store.Outcome) ([]store.Result, error) {
	hasDetail := func(o store.Outcome) bool { return o.Attempt.Detail != nil }
	if !slices.ContainsFunc(outcomes, hasDetail) { // as nearly always: successes have none
		return s.Store.Finish(ctx, outcomes...)
	}
	// The inner store can't see the bounds of what is sealed.
	if err := store.ValidateOutcomes(outcomes); err != nil {
		return nil, fmt.Errorf("sealed: finish: %w", err)
	}
	outcomes = slices.Clone(outcomes)
	for i := range outcomes {
		o := &outcomes[i]
		if o.Attempt.Detail != nil {
			o.Attempt.Detail = s.keys.sealDetail(detailOf(o.SubscriptionID, o.EventID), o.Attempt.Detail)
		}
	}
	return s.Store.Finish(ctx, outcomes...)
}

// Attempts implements [store.History]. A detail that does not open is as it is stored: it has
// nothing but its Sealed.
func (s *Store) Attempts(
	ctx context.Context, subscriptionID, eventID string,
) ([]store.Attempt, error) {
	attempts, err := s.Store.Attempts(ctx, subscriptionID, eventID)
	for i := range attempts {
		attempts[i].Detail = s.keys.openDetail(detailOf(subscriptionID, eventID), attempts[i].Detail)
	}
	return attempts, err
}

// detailOf returns the additional data of details of a delivery's attempts: they open there alone.
// That of a field of a subscription (field.bytes) is never the same, as it goes on where this ends.
func detailOf(subscriptionID, eventID string) []byte {
	var b []byte
	for _, s := range [...]string{"attempt detail", subscriptionID, eventID} {
		b = binary.AppendUvarint(b, uint64(len(s)))
		b = append(b, s...)
	}
	return b
}

// sealDetail returns a detail as it is stored: the length of the key's ID, the ID, and what the key
// has sealed.
func (r *keyring) sealDetail(of []byte, d *store.AttemptDetail) *store.AttemptDetail {
	b := append([]byte{byte(len(r.first))}, r.first...) // an ID has 32 bytes at most
	return &store.AttemptDetail{Sealed: r.aeads[r.first].Seal(b, nil, detail.Append(nil, d), of)}
}

// openDetail returns a detail plain, if it is sealed and opens, and otherwise as it is.
func (r *keyring) openDetail(of []byte, d *store.AttemptDetail) *store.AttemptDetail {
	if d == nil || len(d.Sealed) == 0 || len(d.Sealed) <= int(d.Sealed[0]) {
		return d
	}
	n := 1 + int(d.Sealed[0])
	aead := r.aeads[string(d.Sealed[1:n])]
	if aead == nil {
		return d
	}
	plain, err := aead.Open(nil, nil, d.Sealed[n:], of)
	if err != nil {
		return d
	}
	opened, err := detail.Parse(plain)
	if err != nil {
		return d
	}
	return opened
}

package signing_test

import (
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/outhook/outhook/signing"
)

// TestSigner compares a Signer with the functions, which are tested by vectors, over random keys of
// both kinds. It signs twice each time: nothing of one signature may be left for the next.
func TestSigner(t *testing.T) {
	pairs := []signing.Secret{signing.NewEd25519Secret(), signing.NewEd25519Secret()}
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.OneOf(
			rapid.Map(rapid.StringN(0, 140, -1), func(s string) signing.Secret { return signing.Secret(s) }),
			rapid.SampledFrom(append(pairs, "whsk_no key", "whsec_no base64!", whsecKey, textKey)),
		)
		keys := rapid.SliceOfN(key, 0, 3).Draw(t, "keys")
		id := rapid.StringMatching("[a-z0-9-]{1,40}").Draw(t, "id")
		body := rapid.SliceOfN(rapid.Byte(), 0, 200).Draw(t, "body")
		at := time.Unix(rapid.Int64Range(0, 1e10).Draw(t, "at"), 0)
		s := signing.NewSigner(keys...)
		wantAiry, symmetric, pair := "", false, false
		for _, key := range keys {
			if key.Kind() == signing.Ed25519 {
				pair = true
			} else if key != "" && !symmetric {
				symmetric, wantAiry = true, signing.Airy(key, body)
			}
		}
		if gotSymmetric, gotPair := s.Kinds(); gotSymmetric != symmetric || gotPair != pair {
			t.Errorf("Kinds = %v, %v, want %v, %v", gotSymmetric, gotPair, symmetric, pair)
		}
		want := signing.Standard(id, at, body, keys...)
		for range 2 {
			if got := s.Airy(body); got != wantAiry {
				t.Errorf("Airy = %q, want %q", got, wantAiry)
			}
			if got := s.Standard(id, at, body); got != want {
				t.Errorf("Standard = %q, want %q", got, want)
			}
		}
	})
}

// TestSignerAtTheSameTime holds that signatures of one Signer that are made at the same time have
// nothing in common.
func TestSignerAtTheSameTime(t *testing.T) {
	s := signing.NewSigner(whsecKey)
	var wg sync.WaitGroup
	for i := range 8 {
		wg.Go(func() {
			body := []byte{byte(i)}
			want := signing.Airy(whsecKey, body)
			for range 200 {
				if got := s.Airy(body); got != want {
					t.Errorf("Airy = %q, want %q", got, want)
					return
				}
			}
		})
	}
	wg.Wait()
}

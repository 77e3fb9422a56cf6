package signing_test

import (
	"errors"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"pgregory.net/rapid"

	"github.com/outhook/outhook/signing"
)

func TestVerifyTolerance(t *testing.T) {
	const minute = time.Minute
	for _, tt := range []struct {
		name      string
		tolerance time.Duration
		off       time.Duration
		want      error
	}{
		{"default, now", 0, 0, nil},
		{"default, as old as may be", 0, -5 * minute, nil},
		{"default, too old", 0, -5*minute - time.Second, signing.ErrStale},
		{"default, as new as may be", 0, 5 * minute, nil},
		{"default, too new", 0, 5*minute + time.Second, signing.ErrStale},
		{"own, as old as may be", minute, -minute, nil},
		{"own, too old", minute, -minute - time.Second, signing.ErrStale},
		{"own, too new", minute, minute + time.Second, signing.ErrStale},
		{"wide", 48 * time.Hour, -47 * time.Hour, nil},
		{"negative", -1, 0, signing.ErrStale},
	} {
		synctest.Test(t, func(t *testing.T) { // the clock stands still
			v := signing.Verifier{Keys: []signing.Secret{textKey}, Tolerance: tt.tolerance}
			h := standardHeader(messageID, time.Now().Add(tt.off), messageBody, textKey)
			if err := v.Verify(h, []byte(messageBody)); !errors.Is(err, tt.want) {
				t.Errorf("%s: Verify = %v, want %v", tt.name, err, tt.want)
			}
		})
	}
}

// A delivery caught on its way may be sent again, with headers added, changed or dropped at will.
// No change that an attacker makes passes, unless the receiver has chosen Airy's own scheme, which
// lets some pass.
func TestVerifyDowngrade(t *testing.T) {
	v := signing.Verifier{Keys: []signing.Secret{whsecKey}}
	rapid.Check(t, func(t *rapid.T) {
		h := bothHeaders(time.Now().Add(-time.Hour), messageBody, whsecKey)
		for _, name := range []string{signing.HeaderAiry, signing.HeaderID, signing.HeaderTimestamp,
			signing.HeaderSignature} {
			switch rapid.IntRange(0, 3).Draw(t, name) {
			case 0:
				h.Del(name)
			case 1:
				h.Set(name, strconv.FormatInt(time.Now().Unix(), 10))
			case 2:
				h.Add(name, strconv.FormatInt(time.Now().Unix(), 10))
			}
		}
		if err := v.Verify(h, []byte(messageBody)); err == nil {
			t.Errorf("a replayed delivery passed: %v", h)
		}
		v := v
		v.AllowAiry = true
		err := v.Verify(h, []byte(messageBody))
		if hasStandard := len(h.Values(signing.HeaderSignature)) > 0; hasStandard && err == nil {
			t.Errorf("a replayed delivery with webhook-signature passed with AllowAiry: %v", h)
		}
	})
}

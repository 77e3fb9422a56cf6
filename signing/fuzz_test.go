package signing_test

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/outhook/outhook/signing"
)

// FuzzVerify has any request verified: Verify doesn't panic, and says yes only to what was truly
// signed, by the word of the official library and of crypto/hmac.
func FuzzVerify(f *testing.F) {
	at := time.Unix(1700000000, 0)
	standard := signing.Standard(messageID, at, []byte(messageBody), whsecKey)
	airy := signing.Airy(whsecKey, []byte(messageBody))
	f.Add(true, messageID, "1700000000", standard, true, airy, []byte(messageBody))
	f.Add(true, messageID, "1700000000", "v1a,x  "+standard, false, "", []byte(messageBody))
	f.Add(true, messageID, "+1700000000", standard, true, airy, []byte(messageBody))
	f.Add(true, messageID+".1700000000", "1", standard, true, airy, []byte(messageBody))
	f.Add(false, "", "", "", true, airy, []byte(messageBody))
	f.Add(false, "", "", "", true, strings.ToUpper(airy), []byte(messageBody))
	f.Add(true, "", "", "", true, "", []byte(nil))
	f.Add(true, "a", "-9223372036854775808", "v1, v1,,", false, "", []byte{0xff})

	oracle, err := standardwebhooks.NewWebhook(whsecKey)
	if err != nil {
		f.Fatal(err)
	}
	v := signing.Verifier{Keys: []signing.Secret{whsecKey}, AllowAiry: true,
		Tolerance: math.MaxInt64} // 292 years
	f.Fuzz(func(t *testing.T, hasStandard bool, id, timestamp, signature string, hasAiry bool,
		airy string, body []byte) {
		h := http.Header{}
		if hasStandard {
			h.Set(signing.HeaderID, id)
			h.Set(signing.HeaderTimestamp, timestamp)
			h.Set(signing.HeaderSignature, signature)
		}
		if hasAiry {
			h.Set(signing.HeaderAiry, airy)
		}
		if v.Verify(h, body) != nil {
			return
		}
		switch {
		case hasStandard:
			if err := oracle.VerifyIgnoringTimestamp(body, h); err != nil {
				t.Errorf("Verify took a delivery that the official library refuses: %v", err)
			}
		case !hasAiry || airy != hexHMAC([]byte(whsecKey), body):
			t.Errorf("Verify took the Airy signature %q (present: %t)", airy, hasAiry)
		}
	})
}

// FuzzSecret: a key never shows in what is printed or said about it, and one that Validate takes
// can be read from JSON, signs and verifies, and means the same to other libraries.
func FuzzSecret(f *testing.F) {
	for _, s := range []string{"", "k", textKey, whsecKey, "whsec_", "whsec_AAAA", "[redacted]",
		"schlüssel-🔑", "\xff", "whsec_\n" + whsecKey[6:], strings.Repeat("k", 513),
		pairKey, pairSeed, pairPublic, "whsk_", "whsk_AAAA"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, key := range []string{canary + text, "whsec_" + canary + text, text + canary,
			"whsk_" + canary + text} {
			key := signing.Secret(key)
			b, err := json.Marshal(key)
			said := fmt.Sprintf("%v %+v %#v %q %x %s %s %v", key, key, key, key, key, b, err, key.Validate())
			if leaks(said) {
				t.Errorf("the key shows in %q", said)
			}
		}

		key := signing.Secret(text)
		if key.Validate() != nil {
			return
		}
		if text == "" || len(text) > 512 || !utf8.ValidString(text) {
			t.Fatalf("Validate took a key of %d bytes", len(text))
		}
		quoted, err := json.Marshal(text)
		if err != nil {
			t.Fatal(err)
		}
		var back signing.Secret
		if err := json.Unmarshal(quoted, &back); err != nil || back != key {
			t.Errorf("the key %q was read from JSON as %q, %v", text, string(back), err)
		}
		v := signing.Verifier{Keys: []signing.Secret{key}}
		h := bothHeaders(time.Now(), messageBody, key)
		if err := v.Verify(h, []byte(messageBody)); err != nil {
			t.Errorf("the key %q doesn't verify its own signature: %v", text, err)
		}
		if encoded, ok := strings.CutPrefix(text, "whsec_"); ok {
			raw, err := base64.StdEncoding.DecodeString(encoded)
			oracle, err2 := standardwebhooks.NewWebhook(text)
			if err != nil || err2 != nil || len(raw) < 24 || len(raw) > 64 {
				t.Fatalf("Validate took %q: %d bytes, %v, %v", text, len(raw), err, err2)
			}
			if err := oracle.Verify([]byte(messageBody), h); err != nil {
				t.Errorf("the official library refuses what %q signed: %v", text, err)
			}
		}
	})
}

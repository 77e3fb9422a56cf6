package signing_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"pgregory.net/rapid"

	"github.com/outhook/outhook/signing"
)

const (
	messageBody = `{"type":"message.created","timestamp":1603661094560,"payload":{"conversation_id":"c1"}}`
	messageID   = "018f3c1e-7a55-7000-8000-000000000001"
	whsecKey    = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
	textKey     = "secret-key-for-hmac-header"
)

func TestAiryVectors(t *testing.T) {
	for _, tt := range []struct {
		name string
		key  signing.Secret
		body string
		want string
	}{
		// Checked with OpenSSL: printf %s "$body" | openssl dgst -sha256 -hmac "$key"
		{"message", textKey, messageBody,
			"2f90764f6584d33809e0850261a4cf166e3f206fb921d81e0f9445132834bfc2"},
		{"empty object", "user-defined-hmac-key", "{}",
			"7a4d616cb5d8279176d46106bbbe84ebbb421c46557e31885eee5e01c9d14592"},
		{"UTF-8", "schlüssel-🔑", `{"text":"grüße"}`,
			"ce78b6d03e716d86279c677ede78294e9e558eea95f41aa1683043e84e5b070f"},
		{"whsec key as it stands", whsecKey, messageBody,
			"bbb79623e931bf9dc91a2405ad020f7ff93c59249329c42a182554095beec8c2"},
		// RFC 4231, test cases 2, 6 and 7.
		{"short key", "Jefe", "what do ya want for nothing?",
			"5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
		{"key longer than a block", signing.Secret(strings.Repeat("\xaa", 131)),
			"Test Using Larger Than Block-Size Key - Hash Key First",
			"60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"},
		{"long key and data", signing.Secret(strings.Repeat("\xaa", 131)),
			"This is a test using a larger than block-size key and a larger than block-size data. The key " +
				"needs to be " +
				"hashed before being used by the HMAC algorithm.",
			"9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"},
		{"no key, no signature", "", "{}", ""},
	} {
		if got := signing.Airy(tt.key, []byte(tt.body)); got != tt.want {
			t.Errorf("%s: Airy = %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestStandardVectors(t *testing.T) {
	const (
		whsecMessage = "v1,uk3ZaoHthTTJ/ued0a9Mlt6fg4HSYn8UFwUA0W+vMPA="
		textMessage  = "v1,mZa1c/t3QytAnX7FhxBIRO42afIJ1qoSWicTLK9vI0c="
	)
	at := time.Unix(1700000000, 999_999_999)
	for _, tt := range []struct {
		name string
		id   string
		at   time.Time
		body string
		keys []signing.Secret
		want string
	}{
		{"whsec key", messageID, at, messageBody, []signing.Secret{whsecKey}, whsecMessage},
		{"text key", messageID, at, messageBody, []signing.Secret{textKey}, textMessage},
		{"two keys", messageID, at, messageBody, []signing.Secret{whsecKey, textKey},
			whsecMessage + " " + textMessage},
		{"empty keys are left out", messageID, at, messageBody, []signing.Secret{"", textKey, ""},
			textMessage},
		{"no key", messageID, at, messageBody, nil, ""},
		{"empty key", messageID, at, messageBody, []signing.Secret{""}, ""},
		// Published with Standard Webhooks, in the tests of its libraries.
		{"published", "msg_p5jXN8AQM9LWM0D4loKWxJek", time.Unix(1614265330, 0), `{"test": 2432232314}`,
			[]signing.Secret{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"},
			"v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
		{"published too", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", time.Unix(1649367553, 0),
			`{"email":"test@example.com","username":"test_user"}`,
			[]signing.Secret{"whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"},
			"v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="},
	} {
		if got := signing.Standard(tt.id, tt.at, []byte(tt.body), tt.keys...); got != tt.want {
			t.Errorf("%s: Standard = %q, want %q", tt.name, got, tt.want)
		}
	}
}

// keys generates keys that Validate takes, of both kinds.
func keys() *rapid.Generator[signing.Secret] {
	return rapid.Custom(func(t *rapid.T) signing.Secret {
		if rapid.Bool().Draw(t, "whsec") {
			return whsec(rapid.IntRange(24, 64).Draw(t, "bytes"))
		}
		text := rapid.StringN(1, 128, 512).Filter(func(s string) bool {
			return signing.Secret(s).Validate() == nil
		})
		return signing.Secret(text.Draw(t, "text"))
	})
}

// official is the Standard Webhooks library with the same key.
func official(t *rapid.T, key signing.Secret) *standardwebhooks.Webhook {
	newWebhook := standardwebhooks.NewWebhook
	if !strings.HasPrefix(string(key), "whsec_") {
		newWebhook = func(key string) (*standardwebhooks.Webhook, error) {
			return standardwebhooks.NewWebhookRaw([]byte(key))
		}
	}
	wh, err := newWebhook(string(key))
	if err != nil {
		t.Fatal(err)
	}
	return wh
}

func TestStandardAgreesWithOfficialLibrary(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := keys().Draw(t, "key")
		id := rapid.StringMatching(`[A-Za-z0-9_-]{1,200}`).Draw(t, "id")
		at := time.Unix(rapid.Int64Range(0, 1<<40).Draw(t, "at"), 0)
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		want, err := official(t, key).Sign(id, at, body)
		if err != nil {
			t.Fatal(err)
		}
		if got := signing.Standard(id, at, body, key); got != want {
			t.Errorf("Standard = %q, want %q as the official library has it", got, want)
		}
	})
}

func TestAiryAgreesWithCryptoHMAC(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key := rapid.SliceOfN(rapid.Byte(), 1, 200).Draw(t, "key")
		body := rapid.SliceOfN(rapid.Byte(), 0, 300).Draw(t, "body")
		if got, want := signing.Airy(signing.Secret(key), body), hexHMAC(key, body); got != want {
			t.Errorf("Airy = %q, want %q as crypto/hmac has it", got, want)
		}
	})
}

func hexHMAC(key, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write(body)
	return hex.EncodeToString(mac.Sum(nil))
}

func TestSignaturesAllocateLittle(t *testing.T) {
	body, at := make([]byte, 1024), time.Unix(1700000000, 0)
	for name, sign := range map[string]func(){
		"Airy":                   func() { signing.Airy(whsecKey, body) },
		"Standard":               func() { signing.Standard(messageID, at, body, whsecKey) },
		"Standard with two keys": func() { signing.Standard(messageID, at, body, whsecKey, textKey) },
	} {
		if got := testing.AllocsPerRun(100, sign); got > 3 {
			t.Errorf("%s: %v allocations, want at most 3", name, got)
		}
	}
}

func BenchmarkAiry(b *testing.B) {
	body := make([]byte, 512)
	b.ReportAllocs()
	for b.Loop() {
		signing.Airy(whsecKey, body)
	}
}

func BenchmarkStandard(b *testing.B) {
	body, at := make([]byte, 512), time.Unix(1700000000, 0)
	b.ReportAllocs()
	for b.Loop() {
		signing.Standard(messageID, at, body, whsecKey)
	}
}

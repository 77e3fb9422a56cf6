package signing_test

import (
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
	"pgregory.net/rapid"

	"github.com/outhook/outhook/signing"
)

// The key pair of the Svix server's tests, whose signature is the example of Standard Webhooks
// 1.0.0 ("Webhook headers").
const (
	pairKey    = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
	pairSeed   = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbc="
	pairPublic = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
)

func TestEd25519Vectors(t *testing.T) {
	const (
		id, body = "msg_p5jXN8AQM9LWM0D4loKWxJek", `{"test": 2432232314}`
		hmac     = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
		hmacKey  = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
		pair     = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
		// from the tests of the Go library with Ed25519 that is proposed to the specification's
		// repository (pull request 253), which has the seed alone
		other    = "v1a,tQ9V2XOqn7jL/DQenEFpqIugdBVtiMmER5mhSkXBNwM0mkATuDe6KYYUuxqtaiHeYGb7KaaBRdM5WqyeFiL8Ag=="
		otherKey = "whsk_VEVTVFNJR05JTkdLRVlET05PVFVTRVRISVNGT1JBTlk="
	)
	for _, tt := range []struct {
		name string
		keys []signing.Secret
		want string
	}{
		{"seed and public key", []signing.Secret{pairKey}, pair},
		{"seed alone", []signing.Secret{pairSeed}, pair},
		{"another pair", []signing.Secret{otherKey}, other},
		{"beside HMAC", []signing.Secret{hmacKey, pairKey}, hmac + " " + pair},
		{"before HMAC", []signing.Secret{pairKey, "", hmacKey}, pair + " " + hmac},
		{"two pairs", []signing.Secret{pairKey, otherKey}, pair + " " + other},
	} {
		got := signing.Standard(id, time.Unix(1614265330, 0), []byte(body), tt.keys...)
		if got != tt.want {
			t.Errorf("%s: Standard = %q, want %q", tt.name, got, tt.want)
		}
	}
	for _, key := range []signing.Secret{pairKey, pairSeed} {
		if got := key.Public(); got != pairPublic {
			t.Errorf("Public of a key of %d characters = %q, want %q", len(key), got, pairPublic)
		}
		if got := signing.Airy(key, []byte(body)); got != "" {
			t.Errorf("Airy = %q, want none: its scheme is symmetric", got)
		}
		if key.Kind() != signing.Ed25519 || key.Len() != 32 || key.Standard() != key {
			t.Errorf("a key of %d characters is of the kind %s, of %d bytes", len(key), key.Kind(),
				key.Len())
		}
	}
}

func TestNewEd25519Secret(t *testing.T) {
	key, another := signing.NewSecretOf(signing.Ed25519), signing.NewEd25519Secret()
	if err := key.Validate(); err != nil || key == another || key.Kind() != signing.Ed25519 ||
		!strings.HasPrefix(string(key), "whsk_") {
		t.Errorf("got a key of the kind %s, %v", key.Kind(), err)
	}
	if err := key.Public().Validate(); err != nil {
		t.Errorf("its public key: %v", err)
	}
	if key := signing.NewSecretOf(signing.HMAC); key.Kind() != signing.HMAC || key.Public() != "" ||
		!strings.HasPrefix(string(key), "whsec_") {
		t.Errorf("got a key of the kind %s for %s", key.Kind(), signing.HMAC)
	}
}

func TestEd25519Validate(t *testing.T) {
	base := base64.StdEncoding.EncodeToString
	foreign := base(append(make([]byte, 32), []byte(strings.Repeat("k", 32))...))
	for _, tt := range []struct {
		name string
		key  signing.Secret
		want string // in the error; "" for none
	}{
		{"seed and public key", pairKey, ""},
		{"seed", pairSeed, ""},
		{"nothing", "whsk_", "Ed25519 key"},
		{"31 bytes", signing.Secret("whsk_" + base(make([]byte, 31))), "Ed25519 key"},
		{"63 bytes", signing.Secret("whsk_" + base(make([]byte, 63))), "Ed25519 key"},
		{"no base64", "whsk_bcUrWCxnFdULeBuDW6zfGe6Z", "Ed25519 key"},
		{"a line break", pairKey + "\n", "Ed25519 key"},
		{"halves of two pairs", signing.Secret("whsk_" + foreign), "not the public key"},
		{"a public key", pairPublic, "public key, which can't sign"},
	} {
		err := tt.key.Validate()
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v, want nil", tt.name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want an error that says %q", tt.name, err, tt.want)
		}
		if err != nil && len(tt.key) > 10 && strings.Contains(err.Error(), string(tt.key[5:10])) {
			t.Errorf("%s: %v shows the key", tt.name, err)
		}
	}
}

// A stored text that starts like a key and is none signs as every other text does: its deliveries
// must not go out unsigned.
func TestNoKeySignsAsText(t *testing.T) {
	const key signing.Secret = "whsk_bcUrWCxnFdULeBuDW6zfGe6Z"
	got := signing.Standard(messageID, time.Unix(1, 0), []byte("{}"), key)
	if !strings.HasPrefix(got, "v1,") || signing.Airy(key, []byte("{}")) == "" {
		t.Errorf("it signs %q", got)
	}
	if key.Kind() != signing.HMAC || key.Public() != "" {
		t.Errorf("it is of the kind %s", key.Kind())
	}
}

func TestPublicKeyValidate(t *testing.T) {
	for _, tt := range []struct {
		name string
		key  signing.PublicKey
		want string
	}{
		{"of a pair", pairPublic, ""},
		{"none", "", "whpk_"},
		{"without prefix", signing.PublicKey(pairPublic[5:]), "whpk_"},
		{"a private key", pairKey, "whpk_"},
		{"31 bytes", signing.PublicKey("whpk_" +
			base64.StdEncoding.EncodeToString(make([]byte, 31))), "whpk_"},
		{"zeros", signing.PublicKey("whpk_" + base64.StdEncoding.EncodeToString(make([]byte, 32))),
			"anybody"},
	} {
		err := tt.key.Validate()
		switch {
		case tt.want == "" && err != nil:
			t.Errorf("%s: %v, want nil", tt.name, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v, want an error that says %q", tt.name, err, tt.want)
		}
	}
}

// TestKeysOfSmallOrder signs without any key for each key that Validate refuses, as it says that
// anybody can: a signature of the points of small order and of zero is right for some messages.
func TestKeysOfSmallOrder(t *testing.T) {
	points := []string{
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0000000000000000000000000000000000000000000000000000000000000080",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
		"26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
		"c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
	}
	for _, text := range append(points, // and those that are written in a second way
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	) {
		key, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		forged := false
		for message := byte(0); message < 100 && !forged; message++ {
			for _, r := range points {
				signature, err := hex.DecodeString(r + strings.Repeat("00", 32))
				if err != nil {
					t.Fatal(err)
				}
				forged = forged || ed25519.Verify(key, []byte{message}, signature)
			}
		}
		if !forged {
			t.Errorf("%s: no signature was forged, so the key need not be refused", text)
		}
		public := signing.PublicKey("whpk_" + base64.StdEncoding.EncodeToString(key))
		if err := public.Validate(); err == nil {
			t.Errorf("%s: Validate takes it, and a signature for it was forged", text)
		}
	}
}

func TestVerifyEd25519(t *testing.T) {
	const body = messageBody
	now := time.Now()
	pair := standardHeader(messageID, now, body, pairKey)
	signature := pair.Get(signing.HeaderSignature)
	both := standardHeader(messageID, now, body, whsecKey, pairKey)
	another := signing.NewEd25519Secret()
	public := signing.Verifier{PublicKeys: []signing.PublicKey{pairPublic}}
	hmac := signing.Verifier{Keys: []signing.Secret{whsecKey}}
	all := signing.Verifier{Keys: hmac.Keys, PublicKeys: public.PublicKeys}
	// keyed with the public key, which anybody may have
	confused := signing.Verifier{Keys: []signing.Secret{signing.Secret(pairPublic)}}
	byPublic := with(pair.Clone(), set(signing.HeaderSignature, hmacSignature(t, messageID, now, body,
		[]byte(pairPublic))), func(h http.Header) {
		h.Add(signing.HeaderSignature, hmacSignature(t, messageID, now, body, decoded(t, pairPublic)))
	})
	many := strings.TrimSpace(strings.Repeat("v1a,"+strings.Repeat("A", 88)+" ",
		signing.MaxSignatures-1))

	for _, tt := range []struct {
		name string
		v    signing.Verifier
		h    http.Header
		want error
	}{
		{"public key", public, pair, nil},
		{"private key", signing.Verifier{Keys: []signing.Secret{pairKey}}, pair, nil},
		{"its seed", signing.Verifier{Keys: []signing.Secret{pairSeed}}, pair, nil},
		{"public key beside HMAC", public, both, nil},
		{"HMAC beside a public key", hmac, both, nil},
		{"both kinds of keys, both kinds of signatures", all, both, nil},
		{"both kinds of keys, HMAC", all, standardHeader(messageID, now, body, whsecKey), nil},
		{"both kinds of keys, Ed25519", all, pair, nil},
		{"the second public key", signing.Verifier{PublicKeys: []signing.PublicKey{another.Public(),
			"", pairPublic}}, pair, nil},
		{"the second signature", public, standardHeader(messageID, now, body, another, pairKey), nil},
		{"as many signatures as may be", public, with(pair.Clone(),
			set(signing.HeaderSignature, many+" "+signature)), nil},
		{"many of another version", public, with(pair.Clone(),
			set(signing.HeaderSignature, strings.Repeat("v1,x ", 100)+signature)), nil},

		{"too many signatures", public, with(pair.Clone(),
			set(signing.HeaderSignature, many+" "+signature, signature)), signing.ErrBadSignature},
		{"another pair", public, standardHeader(messageID, now, body, another),
			signing.ErrBadSignature},
		{"another body", public, standardHeader(messageID, now, "{}", pairKey),
			signing.ErrBadSignature},
		{"another id", public, with(pair.Clone(), set(signing.HeaderID, "x")), signing.ErrBadSignature},
		{"another time", public, with(pair.Clone(), set(signing.HeaderTimestamp,
			strconv.FormatInt(now.Unix()+1, 10))), signing.ErrBadSignature},
		{"cut short", public, with(pair.Clone(), set(signing.HeaderSignature,
			signature[:len(signature)-4])), signing.ErrBadSignature},
		{"as v1", public, with(pair.Clone(), set(signing.HeaderSignature,
			"v1"+signature[3:])), signing.ErrBadSignature},
		{"HMAC alone", public, standardHeader(messageID, now, body, whsecKey),
			signing.ErrBadSignature},
		{"HMAC by the public key", all, byPublic, signing.ErrBadSignature},
		{"Ed25519 alone, to HMAC", hmac, pair, signing.ErrBadSignature},
		{"another spelling of the base64", public, with(pair.Clone(), set(signing.HeaderSignature,
			signature[:len(signature)-3]+string(signature[len(signature)-3]+1)+"==")),
			signing.ErrBadSignature},
		{"stale", public, standardHeader(messageID, now.Add(-time.Hour), body, pairKey),
			signing.ErrStale},
		{"Airy", signing.Verifier{PublicKeys: public.PublicKeys, AllowAiry: true},
			airyHeader(body, whsecKey), signing.ErrBadSignature},
		{"Airy, and nothing beside it", signing.Verifier{Keys: []signing.Secret{pairKey},
			AllowAiry: true}, http.Header{http.CanonicalHeaderKey(signing.HeaderAiry): {
			strings.Repeat("0", 64), ""}}, signing.ErrBadSignature},
		{"nothing", public, http.Header{}, signing.ErrNoSignature},
		{"no key", signing.Verifier{PublicKeys: []signing.PublicKey{""}}, pair, signing.ErrNoKey},
	} {
		if err := tt.v.Verify(tt.h, []byte(body)); !errors.Is(err, tt.want) {
			t.Errorf("%s: Verify = %v, want %v", tt.name, err, tt.want)
		}
	}

	for _, tt := range []struct {
		name string
		v    signing.Verifier
		want string
	}{
		{"a public key as an HMAC key", confused, "key 0 starts with \"whpk_\""},
		{"a private key as a public one", signing.Verifier{
			PublicKeys: []signing.PublicKey{pairPublic, pairKey}}, "public key 1 must be"},
	} {
		if err := tt.v.Verify(pair, []byte(body)); err == nil ||
			!strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: Verify = %v, want an error that says %q", tt.name, err, tt.want)
		}
	}
}

// hmacSignature is a v1 signature by any bytes.
func hmacSignature(t *testing.T, id string, at time.Time, body string, key []byte) string {
	t.Helper()
	wh, err := standardwebhooks.NewWebhookRaw(key)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := wh.Sign(id, at, []byte(body))
	if err != nil {
		t.Fatal(err)
	}
	return signature
}

// decoded is what the base64 of a public key is of.
func decoded(t *testing.T, key signing.PublicKey) []byte {
	t.Helper()
	raw, err := base64.StdEncoding.DecodeString(string(key[5:]))
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// What Standard makes with a pair is what package ed25519 verifies, over the bytes of the
// specification.
func TestStandardAgreesWithCryptoEd25519(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		seed := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "seed")
		private := ed25519.NewKeyFromSeed(seed)
		id := rapid.StringMatching(`[A-Za-z0-9_-]{1,200}`).Draw(t, "id")
		at := rapid.Int64Range(0, 1<<40).Draw(t, "at")
		body := rapid.SliceOf(rapid.Byte()).Draw(t, "body")
		for _, raw := range [][]byte{seed, private} {
			key := signing.Secret("whsk_" + base64.StdEncoding.EncodeToString(raw))
			got := signing.Standard(id, time.Unix(at, 0), body, key)
			text, ok := strings.CutPrefix(got, "v1a,")
			signature, err := base64.StdEncoding.DecodeString(text)
			message := id + "." + strconv.FormatInt(at, 10) + "." + string(body)
			if !ok || err != nil || !ed25519.Verify(private.Public().(ed25519.PublicKey),
				[]byte(message), signature) {
				t.Errorf("Standard = %q, which crypto/ed25519 does not verify", got)
			}
		}
	})
}

func BenchmarkStandardEd25519(b *testing.B) {
	body, at := make([]byte, 512), time.Unix(1700000000, 0)
	for name, key := range map[string]signing.Secret{"pair": pairKey, "seed": pairSeed} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				signing.Standard(messageID, at, body, key)
			}
		})
	}
}

func BenchmarkVerifyEd25519(b *testing.B) {
	body := make([]byte, 512)
	v := signing.Verifier{PublicKeys: []signing.PublicKey{pairPublic}, Tolerance: time.Hour}
	h := standardHeader(messageID, time.Now(), string(body), pairKey)
	b.ReportAllocs()
	for b.Loop() {
		if err := v.Verify(h, body); err != nil {
			b.Fatal(err)
		}
	}
}

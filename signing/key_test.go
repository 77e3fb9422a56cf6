package signing_test

import (
	"encoding/base64"
	"strings"
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"

	"github.com/outhook/outhook/signing"
)

// whsec is a key in Standard Webhooks' form that decodes to n bytes.
func whsec(n int) signing.Secret {
	return signing.Secret("whsec_" + base64.StdEncoding.EncodeToString([]byte(strings.Repeat("k", n))))
}

func TestSecretValidate(t *testing.T) {
	for _, tt := range []struct {
		name string
		key  signing.Secret
		want string // in the error; "" for none
	}{
		{"one byte", "k", ""},
		{"512 bytes", signing.Secret(strings.Repeat("k", 512)), ""},
		{"512 bytes of UTF-8", signing.Secret(strings.Repeat("ü", 256)), ""},
		{"emoji", "schlüssel-🔑", ""},
		{"any bytes", "a b\x00\n", ""},
		{"the prefix in the middle", "my_whsec_!", ""},
		{"the prefix in capitals", "WHSEC_!", ""},
		{"whsec of 24 bytes", whsec(24), ""},
		{"whsec of 64 bytes", whsec(64), ""},
		{"published", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", ""},
		{"new", signing.NewSecret(), ""},

		{"empty", "", "is empty"},
		{"513 bytes", signing.Secret(strings.Repeat("k", 513)), "longer than 512 bytes"},
		{"513 bytes of UTF-8", signing.Secret(strings.Repeat("ü", 256) + "k"), "longer than 512 bytes"},
		{"invalid UTF-8", "k\xff", "UTF-8"},
		{"the placeholder", "[redacted]", "placeholder"},
		{"whsec alone", "whsec_", "24 to 64 bytes"},
		{"whsec of 23 bytes", whsec(23), "24 to 64 bytes"},
		{"whsec of 65 bytes", whsec(65), "24 to 64 bytes"},
		{"whsec of no base64", "whsec_not base64 not base64 not base64", "24 to 64 bytes"},
		{"whsec of URL base64", "whsec_" + signing.Secret(strings.Repeat("-_-_", 8)), "24 to 64 bytes"},
		{"whsec without padding", "whsec_" +
			signing.Secret(strings.TrimRight(string(whsec(25)[6:]), "=")), "24 to 64 bytes"},
		{"whsec with a line break", whsec(24) + "\n", "24 to 64 bytes"},
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

// The converted key makes the same standard signatures, and is one that the official library takes.
func TestSecretStandard(t *testing.T) {
	for _, tt := range []struct {
		name string
		key  signing.Secret
		want string // "" for: only that it is of the form
	}{
		{"text", "secret-key-for-hmac-header", "whsec_c2VjcmV0LWtleS1mb3ItaG1hYy1oZWFkZXI="},
		{"UTF-8", "schlüssel-🔑", "whsec_c2NobMO8c3NlbC3wn5SR"},
		{"one byte", "k", "whsec_aw=="},
		{"base64 as text", "c2VjcmV0LWtleS1mb3ItaG1hYy1oZWFkZXI=",
			"whsec_YzJWamNtVjBMV3RsZVMxbWIzSXRhRzFoWXkxb1pXRmtaWEk9"},
		{"64 bytes", signing.Secret(strings.Repeat("k", 64)), ""},
		{"65 bytes", signing.Secret(strings.Repeat("k", 65)), ""},
		{"512 bytes", signing.Secret(strings.Repeat("k", 512)), ""},
		{"whsec_ already", whsecKey, whsecKey},
	} {
		got := tt.key.Standard()
		if tt.want != "" && string(got) != tt.want {
			t.Errorf("%s: Standard() = %q, want %q", tt.name, string(got), tt.want)
		}
		if err := got.Validate(); (err == nil) != (tt.key.Len() >= 24) {
			t.Errorf("%s: Validate of the converted key = %v", tt.name, err)
		}
		at, body := time.Unix(1700000000, 0), []byte(messageBody)
		want := signing.Standard(messageID, at, body, tt.key)
		if made := signing.Standard(messageID, at, body, got); made != want {
			t.Errorf("%s: the converted key signs %q, want %q as before", tt.name, made, want)
		}
		oracle, err := standardwebhooks.NewWebhook(string(got))
		if err != nil {
			t.Errorf("%s: the official library says %v", tt.name, err)
			continue
		}
		if theirs, err := oracle.Sign(messageID, at, body); err != nil || theirs != want {
			t.Errorf("%s: the official library signs %q with the converted key, want %q", tt.name, theirs,
				want)
		}
	}
	if got := signing.Secret("").Standard(); got != "" {
		t.Errorf("Standard() of no key = %q, want none", string(got))
	}
}

func TestSecretLen(t *testing.T) {
	for key, want := range map[signing.Secret]int{"": 0, "k": 1, "ü": 2, whsec(24): 24, whsec(64): 64,
		"whsec_!": 7} {
		if got := key.Len(); got != want {
			t.Errorf("Len of %q = %d, want %d", string(key), got, want)
		}
	}
}

func TestNewSecret(t *testing.T) {
	seen := map[signing.Secret]bool{}
	for range 100 {
		key := signing.NewSecret()
		text, ok := strings.CutPrefix(string(key), "whsec_")
		raw, err := base64.StdEncoding.DecodeString(text)
		if !ok || err != nil || len(raw) != 32 {
			t.Fatalf("NewSecret: prefix %t, %d bytes, %v, want whsec_ and 32 bytes of base64", ok, len(raw),
				err)
		}
		if seen[key] {
			t.Fatal("NewSecret made the same key twice")
		}
		seen[key] = true
	}
}

package signing_test

import (
	"encoding/base64"
	"strings"
	"testing"

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

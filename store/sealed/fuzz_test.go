package sealed_test

import (
	"strings"
	"testing"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store/memstore"
)

// FuzzOpen puts foreign text where sealed values are. It passes as it is when it is not said to be
// sealed; else only what was sealed for its place opens.
func FuzzOpen(f *testing.F) {
	inner := memstore.New()
	s := seal(f, inner, sharedKey)
	create(f, s, 1)
	create(f, s, 2)
	good, other := get(f, inner, 1), get(f, inner, 2)
	for _, text := range []string{
		good.Headers[headerName], string(good.Secrets[0]), other.Headers[headerName],
		strings.ToUpper(good.Headers[headerName]), "outhook:sealed:v1:k:", "",
	} {
		for _, with := range []string{"", "k", "another"} {
			f.Add(text, with)
		}
	}
	f.Fuzz(func(t *testing.T, text, sealedWith string) {
		keep(t, inner, 1, signing.Secret(text), text, sealedWith)
		sub := get(t, s, 1)
		wantValues(t, "plain, or as it is stored", sub, signing.Secret(text), text)
		if sub.SealedWith != sealedWith { // one text can't be good as a secret and as a header
			t.Errorf("%q: sealed with %q, want %q", text, sub.SealedWith, sealedWith)
		}
	})
}

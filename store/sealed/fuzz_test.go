package sealed_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/memstore"
	"github.com/outhook/outhook/store/sealed"
)

// FuzzOpen puts foreign text where sealed values are. What does not begin with Prefix passes as it
// is; of the rest only what was sealed for its place opens.
func FuzzOpen(f *testing.F) {
	inner := memstore.New()
	s := seal(f, inner, sharedKey)
	create(f, s, 1)
	create(f, s, 2)
	good, other := get(f, inner, 1), get(f, inner, 2)
	f.Add(good.Headers[headerName])
	f.Add(string(good.Secrets[0]))
	f.Add(other.Headers[headerName])
	f.Add(sealed.Prefix + "k:")
	f.Add(sealed.Prefix + ":")
	f.Add(sealed.Prefix)
	f.Add(strings.ToUpper(good.Headers[headerName]))
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		put(t, inner, 1, signing.Secret(text), text)
		sub, err := s.Subscription(t.Context(), id(1))
		switch {
		case !strings.HasPrefix(text, sealed.Prefix):
			if err != nil {
				t.Fatalf("plain %q: got error %v", text, err)
			}
			wantValues(t, "plain", sub, signing.Secret(text), text)
		case !errors.Is(err, store.ErrCorrupt): // one text can't be good as a secret and as a header
			t.Errorf("%q: got error %v, want %v", text, err, store.ErrCorrupt)
		}
	})
}

package httpapi

import (
	"context"
	"time"

	"github.com/outhook/outhook/signing"
)

// The overlap of /webhooks.rotate: how long both keys sign.
const (
	DefaultOverlap = 24 * time.Hour // without overlap_seconds
	MaxOverlap     = 30 * 24 * time.Hour
)

// rotate gives a webhook a new key. Its response has the key, as one that was generated must be
// shown once; the only other one that has a key is that of subscribe, by SigningGenerate. A client that gives the key itself can repeat a request whose
// answer it has lost: the same key is added once.
func (a *api) rotate(ctx context.Context, tenant string, f *fields) (any, error) {
	key, _ := readKey(f)
	overlap := DefaultOverlap
	if seconds, ok := f.intField("overlap_seconds", 0, int(MaxOverlap/time.Second)); ok {
		overlap = time.Duration(seconds) * time.Second
	}
	sub, err := a.own(ctx, tenant, f) // it returns f.err, of the fields above too
	if err != nil {
		return nil, err
	}
	sub, err = a.d.RotateSecret(ctx, sub.ID, signing.Secret(key), overlap)
	if err != nil {
		return nil, err
	}
	return newRotation(&sub), nil
}

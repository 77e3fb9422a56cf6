package record

import (
	"fmt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
)

// EncodeCounts returns the value of the counts of a subscription.
func EncodeCounts(key []byte, s *rollup.Bucket) []byte {
	e := newEncoder(32)
	e.b = s.Append(e.b)
	return e.appendChecksum(key)
}

// DecodeCounts reads counts. A nil value is an empty bucket.
func DecodeCounts(key, v []byte) (rollup.Bucket, error) {
	if v == nil {
		return rollup.Bucket{}, nil
	}
	d, err := newDecoder(key, v)
	if err != nil {
		return rollup.Bucket{}, fmt.Errorf("counts of subscription %d: %w", KeyNumber(key, 1), err)
	}
	b, err := rollup.Parse(d.b)
	if err != nil {
		return rollup.Bucket{}, fmt.Errorf("counts of subscription %d: %w: %w",
			KeyNumber(key, 1), store.ErrCorrupt, err)
	}
	return b, nil
}

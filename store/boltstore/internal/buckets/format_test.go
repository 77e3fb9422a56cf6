package buckets_test

import (
	"errors"
	"testing"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/buckets"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/boltstore/internal/txn"
	"github.com/outhook/outhook/store/boltstore/internal/txn/txntest"

	bolt "go.etcd.io/bbolt"
)

func TestCheckFormat(t *testing.T) {
	tests := []struct {
		name    string
		damage  func(f *txntest.File, tx *bolt.Tx) error
		corrupt bool // or else an error of its own
	}{
		{"a bucket is gone", func(f *txntest.File, tx *bolt.Tx) error {
			return tx.DeleteBucket(f.Settings.Buckets[buckets.Keyed])
		}, true},
		{"no version", func(f *txntest.File, tx *bolt.Tx) error {
			return tx.Bucket(f.Settings.Buckets[buckets.Meta]).Delete([]byte(buckets.MetaFormat))
		}, true},
		{"a later version", func(f *txntest.File, tx *bolt.Tx) error {
			key := []byte(buckets.MetaFormat)
			b := tx.Bucket(f.Settings.Buckets[buckets.Meta])
			return b.Put(key, record.EncodeNumber(key, 1000))
		}, false},
	}
	f := txntest.New(t)
	f.View(func(t *txn.Tx) error { return t.CheckFormat() })
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			f := txntest.New(t)
			if err := f.DB.Update(func(tx *bolt.Tx) error { return tt.damage(f, tx) }); err != nil {
				t.Fatal(err)
			}
			f.View(func(tx *txn.Tx) error {
				if err := tx.CheckFormat(); err == nil ||
					errors.Is(err, store.ErrCorrupt) != tt.corrupt {
					t.Errorf("got %v, want an error that is ErrCorrupt: %v", err, tt.corrupt)
				}
				return nil
			})
		})
	}
}

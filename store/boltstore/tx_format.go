package boltstore

import (
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
)

// initialize makes the buckets of an empty store.
func initialize(tx *bolt.Tx, store string) error {
	buckets := bucketsOf(store)
	for _, name := range buckets {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	t := &txn{base: base{settings: &settings{buckets: buckets}, tx: tx}}
	return t.putMetaNumber(metaFormat, format)
}

// checkFormat checks that the store is one that this package knows.
func (t *txn) checkFormat() error {
	for _, name := range t.settings.buckets {
		if t.tx.Bucket(name) == nil {
			return fmt.Errorf("%w: there is no bucket %q", store.ErrCorrupt, name)
		}
	}
	version, err := t.metaNumber(metaFormat)
	switch {
	case err != nil:
		return err
	case version == 0:
		return fmt.Errorf("%w: there is no format version", store.ErrCorrupt)
	case version != format:
		return fmt.Errorf("the file has format %d, and this version of outhook knows only %d", version, format)
	}
	return nil
}

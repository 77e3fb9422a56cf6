package txn

import (
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
)

// Initialize makes the buckets of an empty store. The format version comes with the buckets in one
// transaction: a file that has a part of them is damaged, and not half made.
func Initialize(tx *bolt.Tx, store string) error {
	buckets := BucketsOf(store)
	for _, name := range buckets {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	t := &Tx{base: base{settings: &Settings{Buckets: buckets}, Tx: tx}}
	return t.PutMetaNumber(MetaFormat, format)
}

// CheckFormat checks that the store is one that this package knows. It returns [store.ErrCorrupt]
// if a bucket or the version is missing, and an error that names both versions if the file is of
// another.
func (t *Tx) CheckFormat() error {
	for _, name := range t.settings.Buckets {
		if t.Tx.Bucket(name) == nil {
			return fmt.Errorf("%w: there is no bucket %q", store.ErrCorrupt, name)
		}
	}
	version, err := t.MetaNumber(MetaFormat)
	switch {
	case err != nil:
		return err
	case version == 0:
		return fmt.Errorf("%w: there is no format version", store.ErrCorrupt)
	case version != format:
		return fmt.Errorf("the file has format %d, and this version of outhook knows only %d",
			version, format)
	}
	return nil
}

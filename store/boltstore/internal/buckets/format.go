package buckets

import (
	"fmt"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/page"
)

// Initialize makes the buckets of an empty store. The format version comes with the buckets in one
// transaction: a file that has a part of them is damaged, and not half made.
func Initialize(tx *bolt.Tx, store string) error {
	buckets := NamesOf(store)
	for _, name := range buckets {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	t := &base{Settings: &Settings{Buckets: buckets}, Bolt: tx}
	key, cursors := []byte(MetaCursors), page.NewKey()
	if err := t.put(Meta, key, record.EncodeBytes(key, cursors[:])); err != nil {
		return err
	}
	return t.PutMetaNumber(MetaFormat, format)
}

// CursorKey returns the key that seals the cursors of the store. If it can't be read it is a random
// one: cursors are then good until the store is closed, and nobody else is affected.
func (t *base) CursorKey() (key [page.KeySize]byte) {
	name := []byte(MetaCursors)
	b, err := record.DecodeBytes(name, t.Get(Meta, name))
	if err != nil || copy(key[:], b) != len(key) {
		return page.NewKey()
	}
	return key
}

// CheckFormat checks that the store is one that this package knows. It returns [store.ErrCorrupt]
// if a bucket or the version is missing, and an error that names both versions if the file is of
// another.
func (t *base) CheckFormat() error {
	// The version first: a file of another has other buckets.
	if name := t.Settings.Buckets[Meta]; t.Bolt.Bucket(name) == nil {
		return noBucket(name)
	}
	version, err := t.MetaNumber(MetaFormat)
	switch {
	case err != nil:
		return err
	case version == 0:
		return fmt.Errorf("%w: there is no format version", store.ErrCorrupt)
	case version != format:
		return fmt.Errorf("the file has format %d, and this version of outhook knows only %d; "+
			"open it with the version that wrote it, or begin a new file", version, format)
	}
	for _, name := range t.Settings.Buckets {
		if t.Bolt.Bucket(name) == nil {
			return noBucket(name)
		}
	}
	return nil
}

func noBucket(name []byte) error {
	return fmt.Errorf("%w: there is no bucket %q", store.ErrCorrupt, name)
}

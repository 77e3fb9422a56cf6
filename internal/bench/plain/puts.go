package plain

import (
	"encoding/binary"
	"errors"
	"strings"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/internal/bench/receiver"
)

// Puts puts n values of an event's size, one to a transaction, under ascending keys,
// into a new bbolt file.
func Puts(path string, n int) (l receiver.Latency, err error) {
	db, err := bolt.Open(path, 0o600,
		&bolt.Options{NoFreelistSync: true, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return l, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	name, value := []byte("events"), []byte(strings.Repeat("x", receiver.PayloadSize+100))
	create := func(tx *bolt.Tx) error { _, err := tx.CreateBucket(name); return err }
	if err := db.Update(create); err != nil {
		return l, err
	}
	took := make([]time.Duration, n)
	for i := range took {
		start := time.Now()
		err := db.Update(func(tx *bolt.Tx) error {
			return tx.Bucket(name).Put(binary.BigEndian.AppendUint64(nil, uint64(i)), value)
		})
		if err != nil {
			return l, err
		}
		took[i] = time.Since(start)
	}
	return receiver.Summarize(took), nil
}

package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"path/filepath"
	"time"

	bolt "go.etcd.io/bbolt"

	"github.com/outhook/outhook/internal/bench/plain"
)

// boltSystem is what one would write by hand: a bucket of webhooks that are to be delivered, put
// and deleted by bbolt's Batch, which commits together what comes at the same time.
type boltSystem struct {
	db      *bolt.DB
	workers *workers[boltItem]
	next    []byte // the first key that has not been handed on
	url     string
}

// boltItem is an entry of the bucket.
type boltItem struct{ key, value []byte }

var boltBucket = []byte("webhooks")

func openBolt(_ context.Context, j *job) (system, error) {
	db, err := bolt.Open(filepath.Join(j.Dir, "webhooks.db"), 0o600,
		&bolt.Options{NoFreelistSync: true, FreelistType: bolt.FreelistMapType})
	if err != nil {
		return nil, err
	}
	// Ten times as long, its default, makes sixteen publishers wait for more that never come.
	db.MaxBatchDelay = time.Millisecond
	create := func(tx *bolt.Tx) error { _, err := tx.CreateBucket(boltBucket); return err }
	if err := db.Update(create); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	s := &boltSystem{db: db, url: j.hook()}
	client := plain.NewClient()
	s.workers = startWorkers(plain.Workers, s.fetch, func(i boltItem) error {
		var w webhook
		if err := json.Unmarshal(i.value, &w); err != nil {
			return err
		}
		if err := plain.Post(context.Background(), client, w.URL, w.ID, []byte(w.Body)); err != nil {
			return err
		}
		return db.Batch(func(tx *bolt.Tx) error { return tx.Bucket(boltBucket).Delete(i.key) })
	})
	return s, nil
}

// fetch hands on the next entries, if there are some.
func (s *boltSystem) fetch(_ context.Context, hand func(boltItem)) (found bool, err error) {
	const most = 256 // in one transaction, which must not stay open for long
	var items []boltItem
	err = s.db.View(func(tx *bolt.Tx) error {
		c := tx.Bucket(boltBucket).Cursor()
		for k, v := c.Seek(s.next); k != nil && len(items) < most; k, v = c.Next() {
			items = append(items, boltItem{append([]byte(nil), k...), append([]byte(nil), v...)})
		}
		return nil
	})
	if err != nil || len(items) == 0 {
		return false, err
	}
	last := binary.BigEndian.Uint64(items[len(items)-1].key)
	s.next = binary.BigEndian.AppendUint64(nil, last+1)
	for _, i := range items {
		hand(i)
	}
	return true, nil
}

func (s *boltSystem) publish(_ context.Context, first, last int) error {
	values := make([][]byte, 0, last-first)
	for event := first; event < last; event++ {
		value, err := json.Marshal(newWebhook(event, s.url))
		if err != nil {
			return err
		}
		values = append(values, value)
	}
	err := s.db.Batch(func(tx *bolt.Tx) error {
		b := tx.Bucket(boltBucket)
		for _, value := range values {
			n, err := b.NextSequence()
			if err != nil {
				return err
			}
			if err := b.Put(binary.BigEndian.AppendUint64(nil, n), value); err != nil {
				return err
			}
		}
		return nil
	})
	s.workers.wakeUp()
	return err
}

func (s *boltSystem) pending(context.Context) (n int, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		n = tx.Bucket(boltBucket).Stats().KeyN
		return nil
	})
	return n, err
}

func (s *boltSystem) close() error { return errors.Join(s.workers.end(), s.db.Close()) }

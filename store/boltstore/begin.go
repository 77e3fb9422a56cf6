package boltstore

import (
	bolt "go.etcd.io/bbolt"
)

// begin wraps a bbolt transaction.
func (s *Store) begin(tx *bolt.Tx) (*txn, error) {
	t := &txn{base: base{settings: &s.settings, tx: tx, now: s.now()}}
	if tx.Writable() {
		t.writer = &s.writer
	}
	t.erasures.base = &t.base
	t.recipients.base = &t.base
	t.subs.base, t.subs.recipients = &t.base, &t.recipients
	t.ids.base = &t.base
	t.log.base = &t.base
	t.counts.base, t.counts.subs = &t.base, &t.subs
	watermark, err := t.metaNumber(metaWatermark)
	if err != nil {
		return nil, err
	}
	rising, err := t.metaNumber(metaRising)
	if err != nil {
		return nil, err
	}
	t.pending.Init(pendingBuckets{&t.base}, &t.erasures, journal{&t.base}, watermark, rising)
	return t, nil
}

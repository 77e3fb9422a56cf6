package boltstore

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
)

// records has a value of each kind of record under a key, and how it is decoded.
func records() map[string]struct {
	key, value []byte
	decode     func(key, v []byte) (any, error)
	want       any
} {
	type record = struct {
		key, value []byte
		decode     func(key, v []byte) (any, error)
		want       any
	}
	k1, k2 := key1(7), key2(7, 9)
	at := time.Date(2026, 2, 3, 4, 5, 6, 789, time.UTC)
	sub := &store.Subscription{
		ID: "id", Tenant: "t", Name: "n", URL: "u", Events: []string{"a.*", "b"}, Headers: map[string]string{"X": "1", "Y": ""},
		Secrets: []signing.Secret{"s1", "s2"}, OverlapUntil: at, Status: store.Unsubscribed, DisabledReason: "gone",
		CreatedAt: at, UpdatedAt: at.Add(1), SubscribedAt: at.Add(2),
	}
	h := health{failedAt: 5, Health: store.Health{
		Healthy: true, Failures: 3, FailingFor: time.Hour, Probes: 2, NextProbeAt: asTime(math.MaxInt64), SlowStart: 8,
	}}
	b := &backlog{pending: 3, chunks: true, marks: []mark{{9, 1, "unsubscribed"}, {12, 2, ""}}, deleted: true}
	e := event{id: "id", typ: "a.b", tenant: "t", key: "k", time: 4e12, enqueued: 5, body: []byte(`{"a":1}`), trace: "t"}
	r := row{
		state: store.Dead, stamp: 12, key: 5, behind: true, body: store.BodyOverridden, base: 1, due: 3, finished: 4, reason: "why", attempts: 1,
		log: appendAttempt(nil, &store.Attempt{At: at, Duration: 5, Status: 200, Error: "e", Response: []byte("r")}), stored: true,
	}
	var slot rollup.Bucket
	slot.Add(&store.Attempt{Status: 200, Duration: time.Second}, true)
	slot.Add(&store.Attempt{}, false)
	return map[string]record{
		"subscription": {k1[:], encodeSubscription(k1[:], sub),
			func(k, v []byte) (any, error) { return decodeSubscription(k, v) }, sub},
		"health":  {k1[:], h.encode(k1[:]), func(k, v []byte) (any, error) { return decodeHealth(k, v) }, h},
		"backlog": {k1[:], b.encode(k1[:]), func(k, v []byte) (any, error) { return decodeBacklog(k, v) }, b},
		"chunk": {k2[:], encodeChunk(k2[:], []uint64{9, 10, 300}),
			func(k, v []byte) (any, error) { return decodeChunk(k, v) }, []uint64{9, 10, 300}},
		"event": {k1[:], e.encode(k1[:], pack(nil, []uint64{1, 5, 900})),
			func(k, v []byte) (any, error) { return decodeEvent(k, v) }, e},
		"targets": {k1[:], e.encode(k1[:], pack(nil, []uint64{1, 5, 900})), func(k, v []byte) (any, error) {
			packed, err := decodeTargets(k, v)
			if err != nil {
				return nil, err
			}
			return unpackAll(packed)
		}, []uint64{1, 5, 900}},
		"counts": {k2[:], encodeBucket(k2[:], &slot), func(k, v []byte) (any, error) { return decodeBucket(k, v) }, slot},
		"row":    {k2[:], r.encode(k2[:]), func(k, v []byte) (any, error) { return decodeRow(k, v) }, r},
	}
}

func TestRecords(t *testing.T) {
	for name, r := range records() {
		got, err := r.decode(r.key, r.value)
		if err != nil || !reflect.DeepEqual(got, r.want) {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, r.want)
		}
	}
}

// TestRecordsFlipped flips each bit of each record, and of its key.
func TestRecordsFlipped(t *testing.T) {
	for name, r := range records() {
		for i := range 8 * len(r.value) {
			v := bytes.Clone(r.value)
			v[i/8] ^= 1 << (i % 8)
			got, err := r.decode(r.key, v)
			if !errors.Is(err, store.ErrCorrupt) && !reflect.DeepEqual(got, r.want) { // an event has two parts
				t.Errorf("%s, bit %d: got %+v, %v", name, i, got, err)
			}
		}
		for i := range 8 * len(r.key) {
			k := bytes.Clone(r.key)
			k[i/8] ^= 1 << (i % 8)
			if got, err := r.decode(k, r.value); !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("%s, bit %d of its key: got %+v, %v, want store.ErrCorrupt", name, i, got, err)
			}
		}
	}
}

// FuzzRecords decodes whatever there is, as it is, and with a checksum that is right: nothing may panic.
func FuzzRecords(f *testing.F) {
	all := records()
	for _, r := range all {
		f.Add(r.value)
	}
	f.Add([]byte{})
	f.Add(bytes.Repeat([]byte{0xff}, 40))
	f.Fuzz(func(t *testing.T, v []byte) {
		for name, r := range all {
			if got, err := r.decode(r.key, v); err != nil && !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("%s: got %+v, %v", name, got, err)
			}
			e := &encoder{append([]byte{recordVersion}, v...)}
			if got, err := r.decode(r.key, e.seal(r.key)); err != nil && !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("%s, with a checksum: got %+v, %v", name, got, err)
			}
		}
		row := row{attempts: 3, log: v}
		if err := row.eachAttempt(func(attempt) {}); err != nil && !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("attempts: %v", err)
		}
	})
}

func FuzzPacked(f *testing.F) {
	f.Add([]byte{1, 2, 3}, uint64(3))
	f.Add([]byte{0xff}, uint64(0))
	f.Fuzz(func(t *testing.T, b []byte, n uint64) {
		nums, err := unpackAll(b)
		if err != nil || !slices.IsSorted(nums) { // sums that overflow are not packed by us
			return
		}
		again, err := unpackAll(pack(nil, nums))
		if err != nil || !slices.Equal(again, nums) {
			t.Errorf("%v was packed as %v, %v", nums, again, err)
		}
		if has, err := packedHas(b, n); err == nil && has != slices.Contains(nums, n) {
			t.Errorf("%v has %d: got %v", nums, n, has)
		}
	})
}

package record

import (
	"bytes"
	"errors"
	"math"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/rollup"
)

// sample is a value of one kind of record under a key, and how it is decoded.
type sample struct {
	key, value []byte
	decode     func(key, v []byte) (any, error)
	want       any
}

// decodeAs returns a decoder as samples have it.
func decodeAs[T any](decode func(key, v []byte) (T, error)) func(key, v []byte) (any, error) {
	return func(key, v []byte) (any, error) { return decode(key, v) }
}

var at = time.Date(2026, 2, 3, 4, 5, 6, 789, time.UTC)

// sampleSubscription has something in each field.
var sampleSubscription = &store.Subscription{
	ID: "id", Tenant: "t", Name: "n", URL: "u",
	Events: []string{"a.*", "b"}, Headers: map[string]string{"X": "1", "Y": ""},
	Secrets: []signing.Secret{"s1", "s2"}, OverlapUntil: at,
	Status: store.Unsubscribed, DisabledReason: "gone",
	CreatedAt: at, UpdatedAt: at.Add(1), SubscribedAt: at.Add(2), SealedWith: "k",
}

// fullSubscription has something of what few subscriptions have, too.
func fullSubscription() *store.Subscription {
	s := sampleSubscription.Clone()
	s.Description, s.Metadata = "d", map[string]string{"a": "1", "b": ""}
	s.Filter, s.Fields = `{"a":1}`, []string{"a.b", "c"}
	s.Rate, s.Timeout, s.VerifiedAt = 0.1, 5*time.Second, at.Add(3)
	s.NeedsProof, s.AllowedRate = true, 0.5
	return &s
}

// samples has a value of each kind of record.
func samples() map[string]sample {
	k1, k2 := Key1(7), Key2(7, 9)
	h := store.Health{
		Healthy: true, Failures: 3, FailingFor: time.Hour, LastFailureAt: AsTime(5),
		Probes: 2, NextProbeAt: AsTime(math.MaxInt64), SlowStart: 8,
		Latency: time.Second, HeldUntil: AsTime(6), Pace: 7,
		Pacing: store.Pacing{
			Streak: 1, Successes: 2, ThrottledAt: AsTime(8), ThrottledPace: 9, Hold: 10,
		},
	}
	b := &Backlog{
		Pending: 3, Chunks: true, Marks: []Mark{{9, 1, "unsubscribed"}, {12, 2, ""}}, Deleted: true,
	}
	e := Event{
		ID: "id", Type: "a.b", Tenant: "t", Key: "k",
		Time: 4e12, EnqueuedAt: 5, Body: []byte(`{"a":1}`), Trace: "t",
	}
	full := e
	full.Tags, full.NotBefore, full.ExpiresAt = []string{"a", "b:1"}, 4e12, 5e12
	attempt := store.Attempt{At: at, Duration: 5, Status: 200, Error: "e", Response: []byte("r"),
		Detail: &store.AttemptDetail{RemoteAddress: "192.0.2.1:443", TLS: 7}}
	r := Row{
		State: store.Dead, AsOf: 12, KeyHash: 5, Blocked: true, Body: store.BodyOverridden, Base: 1,
		Due: 3, AtOnce: 2, FinishedAt: 4, Reason: "why", Attempts: 1, Log: AppendAttempt(nil,
			&attempt),
	}
	erasures := []Erasure{{Seq: 3, AsOf: 9, At: 5, Done: 2}, {Seq: 4, AsOf: 11, At: 6}}
	var bucket rollup.Bucket
	bucket.Add(time.Unix(60, 0), &store.Attempt{Status: 200, Duration: time.Second}, true)
	bucket.Add(time.Unix(240, 0), &store.Attempt{}, false)
	pattern := PatternKey("t", "a.*", 7)
	stored := e.Encode(k1[:], Pack(nil, []uint64{1, 5, 900}))
	return map[string]sample{
		"subscription": {k1[:], EncodeSubscription(k1[:], sampleSubscription),
			decodeAs(DecodeSubscription), sampleSubscription},
		"full subscription": {k1[:], EncodeSubscription(k1[:], fullSubscription()),
			decodeAs(DecodeSubscription), fullSubscription()},
		"full event": {k1[:], full.Encode(k1[:], nil), decodeAs(DecodeEvent), full},
		"subscription name": {k1[:], EncodeSubscription(k1[:], sampleSubscription),
			func(k, v []byte) (any, error) {
				id, tenant, err := DecodeSubscriptionName(k, v)
				return [2]string{id, tenant}, err
			}, [2]string{sampleSubscription.ID, sampleSubscription.Tenant}},
		"health":  {k1[:], EncodeHealth(k1[:], &h), decodeAs(DecodeHealth), h},
		"backlog": {k1[:], b.Encode(k1[:]), decodeAs(DecodeBacklog), b},
		"chunk": {k2[:], EncodeChunk(k2[:], []uint64{9, 10, 300}),
			decodeAs(DecodeChunk), []uint64{9, 10, 300}},
		"event": {k1[:], stored, decodeAs(DecodeEvent), e},
		"recipients": {k1[:], stored, func(k, v []byte) (any, error) {
			packed, err := DecodeRecipients(k, v)
			if err != nil {
				return nil, err
			}
			return UnpackAll(packed)
		}, []uint64{1, 5, 900}},
		"counts":   {k2[:], EncodeCounts(k2[:], &bucket), decodeAs(DecodeCounts), bucket},
		"row":      {k2[:], r.Encode(k2[:]), decodeAs(DecodeRow), r},
		"number":   {k1[:], EncodeNumber(k1[:], 1<<40), decodeAs(DecodeNumber), uint64(1 << 40)},
		"body":     {k2[:], EncodeBytes(k2[:], []byte("{}")), decodeAs(DecodeBytes), []byte("{}")},
		"erasures": {k1[:], EncodeErasures(k1[:], erasures), decodeAs(DecodeErasures), erasures},
		"pattern": {pattern, EncodePattern(pattern, sampleSubscription), decodeAs(DecodePattern),
			Pattern{Num: 7, Since: at.Add(2).UnixNano(), Disabled: true}},
	}
}

func TestRecords(t *testing.T) {
	for name, r := range samples() {
		got, err := r.decode(r.key, r.value)
		if err != nil || !reflect.DeepEqual(got, r.want) {
			t.Errorf("%s: got %+v, %v, want %+v", name, got, err, r.want)
		}
	}
}

// TestRareFieldsCostNothing wants the records of a subscription and of an event that have nothing
// of what few have to end with what all have, and those that have one of them to be read as it is.
func TestRareFieldsCostNothing(t *testing.T) {
	key := Key1(7)
	plain, e := EncodeSubscription(key[:], sampleSubscription), newEncoder(0)
	e.string(sampleSubscription.SealedWith)
	if end := plain[:len(plain)-sumSize]; !bytes.HasSuffix(end, e.b[1:]) {
		t.Errorf("a subscription ends with %q, want %q", end, e.b[1:])
	}
	event := Event{ID: "id", Body: []byte("{}"), Trace: "trace"}
	head, _, err := splitEvent(event.Encode(key[:], nil))
	if err != nil || !bytes.HasSuffix(head[:len(head)-sumSize], []byte("trace")) {
		t.Errorf("an event ends with %q, %v, want its trace", head, err)
	}
	for _, change := range []func(*Event){
		func(e *Event) { e.Tags = []string{"x"} },
		func(e *Event) { e.NotBefore = 1 },
		func(e *Event) { e.ExpiresAt = math.MaxInt64 },
	} {
		want := event
		change(&want)
		got, err := DecodeEvent(key[:], want.Encode(key[:], nil))
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
	full := fullSubscription()
	for _, change := range []func(*store.Subscription){
		func(s *store.Subscription) { s.Description = full.Description },
		func(s *store.Subscription) { s.Metadata = full.Metadata },
		func(s *store.Subscription) { s.Filter = full.Filter },
		func(s *store.Subscription) { s.Fields = full.Fields },
		func(s *store.Subscription) { s.Rate = full.Rate },
		func(s *store.Subscription) { s.Timeout = full.Timeout },
		func(s *store.Subscription) { s.VerifiedAt = full.VerifiedAt },
		func(s *store.Subscription) { s.NeedsProof = true },
		func(s *store.Subscription) { s.AllowedRate = full.AllowedRate },
	} {
		want := sampleSubscription.Clone()
		change(&want)
		got, err := DecodeSubscription(key[:], EncodeSubscription(key[:], &want))
		if err != nil || !reflect.DeepEqual(got, &want) {
			t.Errorf("got %+v, %v, want %+v", got, err, want)
		}
	}
}

func TestHasTag(t *testing.T) {
	key := Key1(7)
	e := Event{ID: "id", Tags: []string{"a", "vip"}}
	view, err := ViewEvent(key[:], e.Encode(key[:], nil))
	if err != nil {
		t.Fatal(err)
	}
	for tag, want := range map[string]bool{"a": true, "vip": true, "vi": false, "": false,
		"b": false} {
		if got := view.HasTag(tag); got != want {
			t.Errorf("HasTag(%q) = %t, want %t", tag, got, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { view.HasTag("vip") }); n > 0 {
		t.Errorf("HasTag allocates %v times", n)
	}
}

// TestRecordsFlipped flips each bit of each record, and of its key.
func TestRecordsFlipped(t *testing.T) {
	for name, r := range samples() {
		for i := range 8 * len(r.value) {
			v := bytes.Clone(r.value)
			v[i/8] ^= 1 << (i % 8)
			got, err := r.decode(r.key, v)
			// An event has two parts: the other one still decodes.
			if !errors.Is(err, store.ErrCorrupt) && !reflect.DeepEqual(got, r.want) {
				t.Errorf("%s, bit %d: got %+v, %v", name, i, got, err)
			}
		}
		for i := range 8 * len(r.key) {
			k := bytes.Clone(r.key)
			k[i/8] ^= 1 << (i % 8)
			if got, err := r.decode(k, r.value); !errors.Is(err, store.ErrCorrupt) {
				t.Errorf("%s, bit %d of its key: got %+v, %v, want store.ErrCorrupt", name, i, got,
					err)
			}
		}
	}
}

// FuzzRecords decodes any bytes, as it is, and with a checksum that is right: nothing may
// panic.
func FuzzRecords(f *testing.F) {
	all := samples()
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
			if got, err := r.decode(r.key, e.appendChecksum(r.key)); err != nil &&
				!errors.Is(err, store.ErrCorrupt) {
				t.Errorf("%s, with a checksum: got %+v, %v", name, got, err)
			}
		}
		row := Row{Attempts: 3, Log: v}
		err := row.EachAttempt(func(Attempt) {})
		if err != nil && !errors.Is(err, store.ErrCorrupt) {
			t.Errorf("attempts: %v", err)
		}
	})
}

func FuzzPacked(f *testing.F) {
	f.Add([]byte{1, 2, 3}, uint64(3))
	f.Add([]byte{0xff}, uint64(0))
	f.Fuzz(func(t *testing.T, b []byte, n uint64) {
		nums, err := UnpackAll(b)
		if err != nil || !slices.IsSorted(nums) { // Pack never makes sums that overflow
			return
		}
		again, err := UnpackAll(Pack(nil, nums))
		if err != nil || !slices.Equal(again, nums) {
			t.Errorf("%v was packed as %v, %v", nums, again, err)
		}
		if has, err := PackedHas(b, n); err == nil && has != slices.Contains(nums, n) {
			t.Errorf("%v has %d: got %v", nums, n, has)
		}
	})
}

// TestAttemptsAreTheNewest adds more attempts than a row keeps.
func TestAttemptsAreTheNewest(t *testing.T) {
	r := Row{State: store.Pending, AsOf: 9}
	key := Key2(7, 9)
	for i := range store.MaxAttempts + 3 {
		attempt := store.Attempt{At: at, Status: i + 1, Error: "e", Response: []byte("r")}
		r.AddAttempt(AppendAttempt(nil, &attempt))
	}
	r, err := DecodeRow(key[:], r.Encode(key[:]))
	if err != nil || r.Attempts != store.MaxAttempts+3 {
		t.Fatalf("got %d attempts, %v", r.Attempts, err)
	}
	next := 4
	err = r.EachAttempt(func(a Attempt) {
		if a.Number != next || a.Status != next {
			t.Errorf("got attempt %d with the status of %d, want both %d", a.Number, a.Status, next)
		}
		next++
	})
	if err != nil || next != store.MaxAttempts+4 {
		t.Errorf("the last attempt is %d, %v, want %d", next-1, err, store.MaxAttempts+3)
	}
}

// TestOldDetailsAreDropped adds attempts with details of all lengths, and looks at the whole log
// after each.
func TestOldDetailsAreDropped(t *testing.T) {
	r := Row{State: store.Pending, AsOf: 9}
	var all []store.Attempt
	for i := range store.MaxAttempts + 20 {
		a := store.Attempt{At: at, Status: i + 1, Error: "e", Response: []byte("r")}
		if i%4 != 0 {
			a.Detail = &store.AttemptDetail{
				Request: []store.HeaderField{{Name: "A", Value: strings.Repeat("v", i%7*40)}},
			}
		}
		r.AddAttempt(AppendAttempt(nil, &a))
		a.Number = i + 1
		all = append(all, a)
		next := max(len(all)-store.MaxAttempts, 0)
		err := r.EachAttempt(func(got Attempt) {
			want := all[next]
			if !store.KeepsDetail(want.Number, len(all)) {
				want.Detail = nil
			}
			if got := got.Clone(); !reflect.DeepEqual(got, want) {
				t.Fatalf("after %d attempts: got %+v, want %+v", len(all), got, want)
			}
			next++
		})
		if err != nil || next != len(all) {
			t.Fatalf("after %d attempts: the last is %d, %v", len(all), next, err)
		}
	}
	// A damaged log stays, for others to report.
	r.Log = append(bytes.Clone(r.Log[:len(r.Log)/3]), 0xff, 0xff)
	r.AddAttempt(AppendAttempt(nil, &store.Attempt{At: at}))
	if err := r.EachAttempt(func(Attempt) {}); !errors.Is(err, store.ErrCorrupt) {
		t.Errorf("a damaged log: got %v, want ErrCorrupt", err)
	}
}

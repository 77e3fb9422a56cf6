package record

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"time"

	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// EncodeSubscription returns a subscription's value. The key is its number. Headers are written in
// the order of their names, so that equal subscriptions have equal values.
func EncodeSubscription(key []byte, s *store.Subscription) []byte {
	e := newEncoder(256)
	e.string(s.ID)
	e.string(s.Tenant)
	e.string(s.Name)
	e.string(s.URL)
	e.string(string(s.Status))
	e.string(s.DisabledReason)
	e.time(s.CreatedAt)
	e.time(s.UpdatedAt)
	e.time(s.SubscribedAt)
	e.time(s.OverlapUntil)
	e.uint(uint64(len(s.Events)))
	for _, p := range s.Events {
		e.string(p)
	}
	e.uint(uint64(len(s.Headers)))
	for _, name := range slices.Sorted(maps.Keys(s.Headers)) {
		e.string(name)
		e.string(s.Headers[name])
	}
	e.uint(uint64(len(s.Secrets)))
	for _, secret := range s.Secrets {
		e.string(string(secret))
	}
	e.string(s.SealedWith)
	e.settings(s)
	return e.appendChecksum(key)
}

// settings writes what few subscriptions have, if this one has any of it: then the record of one
// without them is no longer for them.
func (e *encoder) settings(s *store.Subscription) {
	if s.Description == "" && len(s.Metadata) == 0 && s.Filter == "" && len(s.Fields) == 0 &&
		s.Rate == 0 && s.Timeout == 0 && s.VerifiedAt.IsZero() && !s.NeedsProof &&
		s.AllowedRate == 0 {
		return
	}
	e.string(s.Description)
	e.uint(uint64(len(s.Metadata)))
	for _, key := range slices.Sorted(maps.Keys(s.Metadata)) {
		e.string(key)
		e.string(s.Metadata[key])
	}
	e.string(s.Filter)
	e.uint(uint64(len(s.Fields)))
	for _, path := range s.Fields {
		e.string(path)
	}
	e.uint(math.Float64bits(s.Rate))
	e.int(int64(s.Timeout))
	e.time(s.VerifiedAt)
	e.bool(s.NeedsProof)
	e.uint(math.Float64bits(s.AllowedRate))
}

// settings reads what encoder.settings has written, if there is anything left. str reads a string.
func (d *decoder) settings(s *store.Subscription, str func() string) {
	if len(d.b) == 0 {
		return
	}
	s.Description = str()
	if n := d.count(); n > 0 {
		s.Metadata = make(map[string]string, n)
		for range n {
			key := str()
			s.Metadata[key] = str()
		}
	}
	s.Filter = str()
	if n := d.count(); n > 0 {
		s.Fields = make([]string, n)
		for i := range s.Fields {
			s.Fields[i] = str()
		}
	}
	s.Rate = math.Float64frombits(d.uint())
	s.Timeout = time.Duration(d.int())
	s.VerifiedAt = d.time()
	if len(d.b) == 0 { // it was written before there were the others
		return
	}
	s.NeedsProof = d.bool()
	s.AllowedRate = math.Float64frombits(d.uint())
}

// DecodeSubscription reads a subscription. It shares no memory with v.
func DecodeSubscription(key, v []byte) (*store.Subscription, error) {
	s := new(store.Subscription)
	return s, DecodeSubscriptionInto(s, key, v)
}

// DecodeSubscriptionInto is DecodeSubscription into s, which the caller has allocated. A listing
// decodes into a slice that it has anyway.
func DecodeSubscriptionInto(s *store.Subscription, key, v []byte) error {
	d, err := newDecoder(key, v)
	if err != nil {
		return fmt.Errorf("subscription %d: %w", KeyNumber(key, 0), err)
	}
	all := string(d.b) // each string is a part of it: one allocation in place of a dozen
	str := func() string {
		n := len(d.bytes())
		end := len(all) - len(d.b)
		return all[end-n : end]
	}
	*s = store.Subscription{
		ID: str(), Tenant: str(), Name: str(), URL: str(),
		Status: store.Status(str()), DisabledReason: str(),
		CreatedAt: d.time(), UpdatedAt: d.time(), SubscribedAt: d.time(), OverlapUntil: d.time(),
	}
	if n := d.count(); n > 0 {
		s.Events = make([]string, n)
		for i := range s.Events {
			s.Events[i] = str()
		}
	}
	if n := d.count(); n > 0 {
		s.Headers = make(map[string]string, n)
		for range n {
			name := str()
			s.Headers[name] = str()
		}
	}
	if n := d.count(); n > 0 {
		s.Secrets = make([]signing.Secret, n)
		for i := range s.Secrets {
			s.Secrets[i] = signing.Secret(str())
		}
	}
	s.SealedWith = str()
	d.settings(s, str)
	return d.end()
}

// DecodeSubscriptionName reads only the ID of a subscription and its tenant, which come first in
// the value. The checksum of the whole is checked all the same.
func DecodeSubscriptionName(key, v []byte) (id, tenant string, err error) {
	d, err := newDecoder(key, v)
	if err != nil {
		return "", "", fmt.Errorf("subscription %d: %w", KeyNumber(key, 0), err)
	}
	return d.string(), d.string(), d.end()
}

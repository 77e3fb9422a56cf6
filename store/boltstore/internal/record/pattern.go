package record

import "github.com/outhook/outhook/store"

// EveryType is the pattern of a subscription to all types of events but the operational ones.
const EveryType = ""

// Pattern is an entry of the index by which events find their recipients. A subscription that
// collects events or is disabled has one for each pattern that it asked for.
type Pattern struct {
	Num      uint64 // of the subscription
	Since    int64  // when it subscribed
	Disabled bool
	Filtered bool // it has a filter
}

// What an entry says of its subscription.
const (
	patternDisabled = 1 << iota
	patternFiltered
)

// DecodePattern reads an entry. The subscription's number is from the key.
func DecodePattern(key, v []byte) (Pattern, error) {
	d, err := newDecoder(key, v)
	if err != nil {
		return Pattern{}, err
	}
	w := Pattern{Num: KeyNumber(key[len(key)-Len1:], 0), Since: d.int()}
	flags := d.uint()
	w.Disabled, w.Filtered = flags&patternDisabled != 0, flags&patternFiltered != 0
	return w, d.end()
}

// PatternKeys returns the keys under which a subscription is in the index; none when it gets
// nothing. One that is disabled is in it, because its events are stored too, with canceled
// deliveries.
func PatternKeys(num uint64, s *store.Subscription) [][]byte {
	if !s.Collects() && !s.Disabled() {
		return nil
	}
	if len(s.Events) == 0 {
		return [][]byte{PatternKey(s.Tenant, EveryType, num)}
	}
	var keys [][]byte
	for _, p := range s.Events {
		keys = append(keys, PatternKey(s.Tenant, p, num))
	}
	return keys
}

// EncodePattern returns the value of an entry for a subscription.
func EncodePattern(key []byte, s *store.Subscription) []byte {
	since := int64(0)
	if !s.SubscribedAt.IsZero() {
		since = s.SubscribedAt.UnixNano()
	}
	e := newEncoder(12)
	e.int(since)
	flags := uint64(0)
	if s.Disabled() {
		flags |= patternDisabled
	}
	if s.Filter != "" {
		flags |= patternFiltered
	}
	e.uint(flags)
	return e.appendChecksum(key)
}

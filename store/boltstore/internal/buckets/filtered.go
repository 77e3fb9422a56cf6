package buckets

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/filter"
	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/record"
)

// filtered is a recipient with a filter, which is parsed once for all events of a type.
type filtered struct {
	num    uint64
	filter *filter.Filter
	bytes  int // what it takes in memory, about
}

// What a parsed filter takes, in bytes: for each byte of its text, and beside.
const (
	filterByte     = 16
	filterOverhead = 256
)

// filterOf returns a recipient that has a filter. known are in the order of their numbers.
func (x *recipientIndex) filterOf(num uint64, known []filtered) (filtered, error) {
	i, found := slices.BinarySearchFunc(known, num,
		func(f filtered, num uint64) int { return cmp.Compare(f.num, num) })
	if found {
		return known[i], nil
	}
	key := record.Key1(num)
	v := x.base.Get(Subscriptions, key[:])
	if v == nil {
		return filtered{}, fmt.Errorf("%w: subscription %d has patterns and no record",
			store.ErrCorrupt, num)
	}
	sub, err := record.DecodeSubscription(key[:], v)
	if err != nil {
		return filtered{}, err
	}
	return filtered{num, filter.ParseStored(sub.Filter), filterOverhead + filterByte*len(sub.Filter)},
		nil
}

// Taking returns who of a gets an event with the wire body: a itself if no filter refuses it.
func (a *RecipientSet) Taking(body []byte) (*RecipientSet, error) {
	if len(a.filtered) == 0 {
		return a, nil
	}
	payload, _ := events.PayloadOf(body) // of a body that was just made
	var refused []uint64                 // in ascending order
	for i := range a.filtered {
		if f := &a.filtered[i]; !f.filter.Match(payload) {
			refused = append(refused, f.num)
		}
	}
	if len(refused) == 0 {
		return a, nil
	}
	nums, err := record.UnpackAll(a.Packed)
	if err != nil {
		return nil, err
	}
	without := func(nums []uint64) []uint64 {
		return slices.DeleteFunc(nums, func(num uint64) bool {
			_, is := slices.BinarySearch(refused, num)
			return is
		})
	}
	nums = without(nums)
	return &RecipientSet{
		Recipients: effect.Recipients{Packed: record.Pack(nil, nums), Count: len(nums)},
		Disabled:   without(slices.Clone(a.Disabled)),
	}, nil
}

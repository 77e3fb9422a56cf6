package buckets

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/boltstore/internal/effect"
	"github.com/outhook/outhook/store/boltstore/internal/record"
	"github.com/outhook/outhook/store/internal/asking"
)

// filtered is a recipient with a filter.
type filtered struct {
	num    uint64
	filter string
}

// filteredSize is what a filter takes beside its text, in bytes.
const filteredSize = 64

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
	return filtered{num, sub.Filter}, nil
}

// filters returns the filters of recipients, each once.
func filters(of []filtered) (texts []string) {
	for i := range of {
		texts = append(texts, of[i].filter)
	}
	slices.Sort(texts)
	return slices.Compact(texts)
}

// Taking returns who of a gets an event with the wire body, by what filters have said of it: a
// itself if none refuses it. It returns [asking.ErrUnasked] if filters are to be asked first: that
// takes a while, and here nobody else can write.
func (a *RecipientSet) Taking(body []byte, asked *asking.Answers) (*RecipientSet, error) {
	if !asked.Know(a.filters) {
		return nil, asking.ErrUnasked
	}
	var refused []uint64 // in ascending order
	for i := range a.filtered {
		if f := &a.filtered[i]; !asked.Takes(f.filter, body) {
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

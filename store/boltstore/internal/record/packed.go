package record

import (
	"encoding/binary"
	"fmt"

	"github.com/outhook/outhook/store"
)

// A packed list has ascending numbers, each as a varint of its difference to the one before.

// Pack appends the packed numbers to b.
func Pack(b []byte, nums []uint64) []byte {
	last := uint64(0)
	for _, n := range nums {
		b = binary.AppendUvarint(b, n-last)
		last = n
	}
	return b
}

// Unpack calls f for each number of a packed list until it returns false. It allocates nothing.
func Unpack(b []byte, f func(n uint64) bool) error {
	last := uint64(0)
	for len(b) > 0 {
		d, n := binary.Uvarint(b)
		if n <= 0 {
			return errListEnds
		}
		b, last = b[n:], last+d
		if !f(last) {
			return nil
		}
	}
	return nil
}

// UnpackAll returns all numbers of a packed list. It is Unpack without a call for each number, and
// with an error it returns those that came before.
func UnpackAll(b []byte) ([]uint64, error) {
	// Each takes a byte at least, and most take one or two.
	return AppendUnpacked(make([]uint64, 0, len(b)), b)
}

// AppendUnpacked is UnpackAll for a caller that has memory for the numbers.
func AppendUnpacked(nums []uint64, b []byte) ([]uint64, error) {
	last := uint64(0)
	for len(b) > 0 {
		d, n := binary.Uvarint(b)
		if n <= 0 {
			return nums, errListEnds
		}
		b, last = b[n:], last+d
		nums = append(nums, last)
	}
	return nums, nil
}

// errListEnds is the error for a packed list that ends within a number.
var errListEnds = fmt.Errorf("%w: a list of numbers ends early", store.ErrCorrupt)

// PackedHas reports whether the packed list has n. It stops at the first number that is not below
// n.
func PackedHas(b []byte, n uint64) (bool, error) {
	found := false
	err := Unpack(b, func(m uint64) bool {
		found = m == n
		return m < n
	})
	return found, err
}

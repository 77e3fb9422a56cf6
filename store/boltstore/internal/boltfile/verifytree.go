package boltfile

import (
	"bytes"
	"fmt"
	"slices"
)

// bucket checks the tree that begins at a page, and the buckets in it.
func (c *checker) bucket(root uint64) error {
	nested, _, err := c.tree(root, nil, nil, nil, 0)
	if err != nil {
		return err
	}
	for _, root := range nested {
		if err := c.bucket(root); err != nil {
			return err
		}
	}
	return nil
}

// maxDepth is more levels than a tree of bbolt ever has.
const maxDepth = 64

// element is a key of a page with what it leads to, in the page's memory or with a copy of the key.
type element struct {
	key, value []byte
	child      uint64
	bucket     bool
}

// tree checks the tree that begins at a page. Its keys are from least on and below limit; a nil
// limit is no bound. It returns the root pages of the buckets in it, after those of nested, and the
// last key.
func (c *checker) tree(id uint64, least, limit []byte, nested []uint64, depth int) (
	roots []uint64, last []byte, err error,
) {
	if depth > maxDepth {
		return nil, nil, fmt.Errorf("page %d is too deep in its tree", id)
	}
	page, err := c.page(id)
	if err != nil {
		return nil, nil, err
	}
	elements, leaf, err := elementsOf(page, id, c.elements[:0])
	if err != nil {
		return nil, nil, err
	}
	if c.elements = elements; leaf {
		return c.leaf(elements, id, least, limit, nested)
	}
	children := slices.Clone(elements) // the next page overwrites both these and the page's memory
	for i := range children {
		children[i].key = bytes.Clone(children[i].key)
	}
	last = least
	for i, e := range children {
		if !inOrder(e.key, last, limit, i == 0) {
			return nil, nil, fmt.Errorf("page %d has its keys out of order", id)
		}
		end := limit
		if i+1 < len(children) {
			end = children[i+1].key
		}
		if nested, last, err = c.tree(e.child, e.key, end, nested, depth+1); err != nil {
			return nil, nil, err
		}
	}
	return nested, bytes.Clone(last), nil
}

// leaf checks the elements of a leaf. The rest is as in tree.
func (c *checker) leaf(elements []element, id uint64, least, limit []byte, nested []uint64) (
	roots []uint64, last []byte, err error,
) {
	last = least
	for i, e := range elements {
		if !inOrder(e.key, last, limit, i == 0) {
			return nil, nil, fmt.Errorf("page %d has its keys out of order", id)
		}
		last = e.key
		if !e.bucket {
			continue
		}
		if len(e.value) < bucketHeader {
			return nil, nil, fmt.Errorf("page %d has a bucket without a header", id)
		}
		// Its tree is checked after this one, when nothing of this page is needed any more.
		if root := order.Uint64(e.value); root != 0 {
			nested = append(nested, root)
		} else if err := checkInline(e.value[bucketHeader:], id); err != nil {
			return nil, nil, err
		}
	}
	return nested, bytes.Clone(last), nil
}

// checkInline checks a small bucket, which is a page inside a value. It has no buckets itself.
func checkInline(page []byte, id uint64) error {
	if len(page) < pageHeader {
		return fmt.Errorf("page %d has a bucket without a page", id)
	}
	elements, leaf, err := elementsOf(page, id, nil)
	if err != nil {
		return err
	}
	var last []byte
	for i, e := range elements {
		if !leaf || e.bucket || !inOrder(e.key, last, nil, i == 0) {
			return fmt.Errorf("page %d has a damaged bucket", id)
		}
		last = e.key
	}
	return nil
}

// elementsOf returns the elements of a page that is a branch or a leaf, appended to those given.
func elementsOf(page []byte, id uint64, elements []element) (all []element, leaf bool, err error) {
	flags, count := order.Uint16(page[8:]), int(order.Uint16(page[10:]))
	leaf = flags == leafPage
	if !leaf && (flags != branchPage || count == 0) || pageHeader+count*pageElement > len(page) {
		return nil, false, fmt.Errorf("page %d is not a page of a tree", id)
	}
	for i := range count {
		at := pageHeader + i*pageElement
		head := page[at : at+pageElement]
		var e element
		var pos, keySize, valueSize uint64
		if leaf {
			e.bucket = order.Uint32(head)&bucketElement != 0
			pos, keySize = uint64(order.Uint32(head[4:])), uint64(order.Uint32(head[8:]))
			valueSize = uint64(order.Uint32(head[12:]))
		} else {
			pos, keySize = uint64(order.Uint32(head)), uint64(order.Uint32(head[4:]))
			e.child = order.Uint64(head[8:])
		}
		// Four numbers below 2^32 and one of a page: the sum does not overflow.
		if keySize == 0 || uint64(at)+pos+keySize+valueSize > uint64(len(page)) {
			return nil, false, fmt.Errorf("page %d has an element that is not in it", id)
		}
		key := page[uint64(at)+pos:]
		e.key, e.value = key[:keySize], key[keySize:keySize+valueSize]
		elements = append(elements, e)
	}
	return elements, leaf, nil
}

package boltfile

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/fnv"
	"math"
	"os"
)

// The layout of a bbolt file, as far as bbolt crashes if it is wrong. Numbers are in the machine's
// order.
const (
	pageHeader   = 16 // id 8, flags 2, count 2, overflow 4
	bucketHeader = 16 // root page 8, sequence 8

	// Of a branch: position 4, key size 4, page 8. Of a leaf: flags 4, position 4, key size 4,
	// value size 4. A position counts from the element's own beginning.
	pageElement = 16

	// magic 4, version 4, page size 4, flags 4, bucket 16, freelist 8, high water 8, transaction 8,
	// checksum 8
	metaSize = 64

	branchPage    = 0x01
	leafPage      = 0x02
	freelistPage  = 0x10
	bucketElement = 0x01
	boltMagic     = 0xED0CDAED
	boltVersion   = 2
	noFreelist    = math.MaxUint64
	minPageSize   = 1 << 10
	maxPageSize   = 1 << 16
)

var order = binary.NativeEndian

// metaPage is what a meta page says.
type metaPage struct {
	pageSize, root, freelist, high, txid uint64
}

// checker walks the tree of a file.
type checker struct {
	file *os.File
	metaPage

	reader   readAhead
	reached  []uint64  // a bit for each page
	elements []element // of the last page
}

// verifyHead checks that a meta page is valid and that the file is as long as it says. It is safe
// also while another process writes.
func verifyHead(path string) error {
	return check(path, func(*checker) error { return nil })
}

// verifyTree checks, after the head, that all pages that bbolt will follow are there, are what they
// should be, are reached once, and have their keys in order. Nobody may write meanwhile.
func verifyTree(path string) error {
	return check(path, (*checker).checkPages)
}

func check(path string, rest func(*checker) error) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	c := checker{file: f}
	if err := c.readMeta(); err != nil {
		return &CorruptError{err}
	}
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if size := uint64(info.Size()); c.high > size/c.pageSize {
		return corruptf("the file ends early: it has %d bytes of %d pages", size, c.high)
	}
	if err := rest(&c); err != nil {
		return &CorruptError{err}
	}
	return nil
}

func (c *checker) checkPages() error {
	c.reader = readAhead{file: c.file, size: c.high * c.pageSize}
	c.reached = make([]uint64, c.high/64+1)
	if err := c.bucket(c.root); err != nil {
		return err
	}
	if c.freelist == noFreelist {
		return nil
	}
	return c.checkFreelist()
}

// readMeta finds the valid meta page with the highest transaction, as bbolt does.
func (c *checker) readMeta() error {
	found := false
	consider := func(at uint64) {
		m, ok := c.metaAt(at)
		if ok && (!found || m.txid > c.txid) {
			c.metaPage, found = m, true
		}
	}
	consider(0)
	if found {
		consider(c.pageSize)
	} else {
		// Without the first, the page size is not known, and so not where the second is.
		for size := uint64(minPageSize); size <= maxPageSize; size *= 2 {
			if m, ok := c.metaAt(size); ok && m.pageSize == size {
				c.metaPage, found = m, true
				break
			}
		}
	}
	if !found {
		return errors.New("neither of its two meta pages is valid")
	}
	return nil
}

func (c *checker) metaAt(at uint64) (m metaPage, ok bool) {
	b := make([]byte, pageHeader+metaSize)
	if _, err := c.file.ReadAt(b, int64(at)); err != nil {
		return m, false
	}
	b = b[pageHeader:]
	sum := fnv.New64a()
	sum.Write(b[:metaSize-8])
	m = metaPage{
		pageSize: uint64(order.Uint32(b[8:])),
		root:     order.Uint64(b[16:]),
		freelist: order.Uint64(b[32:]),
		high:     order.Uint64(b[40:]),
		txid:     order.Uint64(b[48:]),
	}
	ok = order.Uint32(b) == boltMagic && order.Uint32(b[4:]) == boltVersion &&
		order.Uint64(b[56:]) == sum.Sum64() &&
		m.pageSize >= minPageSize && m.pageSize <= maxPageSize && m.pageSize&(m.pageSize-1) == 0
	return m, ok
}

// page reads a page with its overflow, and counts it as reached. The next call overwrites it.
func (c *checker) page(id uint64) (b []byte, err error) {
	if id < 2 || id >= c.high {
		return nil, fmt.Errorf("page %d is not one of %d", id, c.high)
	}
	head, err := c.reader.bytes(id*c.pageSize, (id+1)*c.pageSize)
	if err != nil {
		return nil, err
	}
	overflow := uint64(order.Uint32(head[12:]))
	if order.Uint64(head) != id || overflow >= c.high-id {
		return nil, fmt.Errorf("page %d says it is page %d with %d more",
			id, order.Uint64(head), overflow)
	}
	for i := id; i <= id+overflow; i++ {
		if c.reached[i/64]&(1<<(i%64)) != 0 {
			return nil, fmt.Errorf("page %d is used twice", i)
		}
		c.reached[i/64] |= 1 << (i % 64)
	}
	return c.reader.bytes(id*c.pageSize, (id+overflow+1)*c.pageSize)
}

// checkFreelist checks that the free pages are pages, and that nothing else uses them.
func (c *checker) checkFreelist() error {
	b, err := c.page(c.freelist)
	if err != nil {
		return err
	}
	n, ids := uint64(order.Uint16(b[10:])), b[pageHeader:]
	if n == math.MaxUint16 { // too many for the count: then the first number is the count
		n, ids = order.Uint64(ids), ids[8:]
	}
	if order.Uint16(b[8:]) != freelistPage || n > uint64(len(ids)/8) {
		return fmt.Errorf("page %d is not a list of free pages", c.freelist)
	}
	last := uint64(1)
	for i := range n {
		id := order.Uint64(ids[8*i:])
		if id <= last || id >= c.high || c.reached[id/64]&(1<<(id%64)) != 0 {
			return fmt.Errorf("page %d is not free", id)
		}
		last = id
	}
	return nil
}

// inOrder reports whether a key is above the last one and below the limit. The first of a page may
// equal the last, which is then the key by which its parent leads to it.
func inOrder(key, last, limit []byte, first bool) bool {
	c := bytes.Compare(last, key)
	return (c < 0 || c == 0 && first) && (limit == nil || bytes.Compare(key, limit) < 0)
}

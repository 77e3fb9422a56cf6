package boltstore

import "os"

// fileReader reads a file in runs, lest there be a system call for each page: pages that follow one another in the tree
// mostly do so in the file.
type fileReader struct {
	file   *os.File
	size   uint64
	base   uint64 // where buffer begins in the file
	buffer []byte
}

// readAhead is how many bytes are read at once, at most, unless more are asked for.
const readAhead = 256 << 10

// bytes returns a part of the file. The next call overwrites it.
func (r *fileReader) bytes(from, to uint64) ([]byte, error) {
	if end := r.base + uint64(len(r.buffer)); from < r.base || to > end {
		size := to - from
		if from >= r.base && from <= end {
			size = max(size, min(2*uint64(len(r.buffer)), readAhead))
		}
		size = min(size, r.size-from)
		if uint64(cap(r.buffer)) < size {
			r.buffer = make([]byte, size)
		}
		r.buffer, r.base = r.buffer[:size], from
		if _, err := r.file.ReadAt(r.buffer, int64(from)); err != nil {
			r.buffer = nil
			return nil, err
		}
	}
	return r.buffer[from-r.base : to-r.base], nil
}

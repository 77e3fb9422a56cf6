package boltfile

import "os"

// readAhead reads a file in runs of pages, so that there is not a system call for each: pages that
// follow one another in the tree mostly do so in the file. A run doubles as long as that is so.
type readAhead struct {
	file   *os.File
	size   uint64
	base   uint64 // where buffer begins in the file
	buffer []byte
}

// maxRun is how many bytes are read at once, at most, unless more are asked for.
const maxRun = 256 << 10

// bytes returns a part of the file. The next call overwrites it.
func (r *readAhead) bytes(from, to uint64) ([]byte, error) {
	if end := r.base + uint64(len(r.buffer)); from < r.base || to > end {
		size := to - from
		if from >= r.base && from <= end {
			size = max(size, min(2*uint64(len(r.buffer)), maxRun))
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

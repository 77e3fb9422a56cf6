package record

import (
	"bytes"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/internal/detail"
)

// Attempt is an attempt of a delivery, read from its row. Its fields are those of store.Attempt,
// not yet copied: most readers want the last attempt alone.
type Attempt struct {
	Number          int // counted from 1 over the life of the delivery
	At              time.Time
	Duration        int64  // in nanoseconds
	Status          int    // of HTTP; 0 if there was no answer
	Error, Response []byte // share memory with the value
	Detail          []byte // encoded by package detail; shares memory with the value
}

// Clone returns a copy that shares no memory with the value.
func (a Attempt) Clone() store.Attempt {
	// The row's checksum was right, so an error is that a later version has written it.
	d, _ := detail.Parse(a.Detail)
	return store.Attempt{
		Number:   a.Number,
		At:       a.At,
		Duration: time.Duration(a.Duration),
		Status:   a.Status,
		Error:    string(a.Error),
		Response: bytes.Clone(a.Response),
		Detail:   d,
	}
}

// AppendAttempt appends an encoded attempt to the log of a row. The response is cut at
// [store.MaxResponse]. The number is not stored: it follows from the row's count of attempts, see
// EachAttempt. There is no checksum, since the row's covers the log.
func AppendAttempt(log []byte, a *store.Attempt) []byte {
	var kept []byte
	if a.Detail != nil { // few have one
		var room [512]byte // enough for most, so that they take no memory of their own
		kept = detail.Append(room[:0], a.Detail)
	}
	size := 25 + len(a.Error) + min(len(a.Response), store.MaxResponse) + len(kept)
	e := encoder{slices.Grow(log, size)}
	e.time(a.At)
	e.int(int64(a.Duration))
	e.int(int64(a.Status))
	e.string(a.Error)
	e.bytes(a.Response[:min(len(a.Response), store.MaxResponse)])
	e.bytes(kept)
	return e.b
}

// attempt reads an attempt, without its number. The fields of the literal are in the order of
// AppendAttempt; Go evaluates them from left to right.
func (d *decoder) attempt() Attempt {
	return Attempt{
		At: d.time(), Duration: d.int(), Status: int(d.int()),
		Error: d.bytes(), Response: d.bytes(), Detail: d.bytes(),
	}
}

package record

import (
	"bytes"
	"slices"
	"time"

	"github.com/outhook/outhook/store"
)

// Attempt is an attempt of a delivery, read from its row.
type Attempt struct {
	Number          int
	At              time.Time
	Duration        int64
	Status          int
	Error, Response []byte // share memory with the value
}

// Clone returns a copy that shares no memory with the value.
func (a Attempt) Clone() store.Attempt {
	return store.Attempt{
		Number:   a.Number,
		At:       a.At,
		Duration: time.Duration(a.Duration),
		Status:   a.Status,
		Error:    string(a.Error),
		Response: bytes.Clone(a.Response),
	}
}

// AppendAttempt appends an encoded attempt to the log of a row. The response is cut at
// [store.MaxResponse].
func AppendAttempt(log []byte, a *store.Attempt) []byte {
	e := encoder{slices.Grow(log, 24+len(a.Error)+min(len(a.Response), store.MaxResponse))}
	e.time(a.At)
	e.int(int64(a.Duration))
	e.int(int64(a.Status))
	e.string(a.Error)
	e.bytes(a.Response[:min(len(a.Response), store.MaxResponse)])
	return e.b
}

// attempt reads an attempt, without its number.
func (d *decoder) attempt() Attempt {
	return Attempt{
		At: d.time(), Duration: d.int(), Status: int(d.int()),
		Error: d.bytes(), Response: d.bytes(),
	}
}

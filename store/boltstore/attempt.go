package boltstore

import (
	"bytes"
	"time"

	"github.com/outhook/outhook/store"
)

// attempt is an attempt as it lies in the record.
type attempt struct {
	number        int
	at            time.Time
	duration      int64
	status        int
	err, response []byte // share their memory with the record
}

// record returns the attempt as callers see it.
func (a attempt) record() store.Attempt {
	return store.Attempt{
		Number:   a.number,
		At:       a.at,
		Duration: time.Duration(a.duration),
		Status:   a.status,
		Error:    string(a.err),
		Response: bytes.Clone(a.response),
	}
}

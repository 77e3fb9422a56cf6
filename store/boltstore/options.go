package boltstore

import (
	"time"

	"github.com/outhook/outhook/store/boltstore/internal/buckets"
)

// DefaultName is the name of a store, when [Options] give none.
const DefaultName = "outhook"

// Options are the settings of a [Store]. Its zero value, like nil, has the defaults.
type Options struct {
	// Name is what the names of the store's buckets begin with, before a slash: "outhook/meta" and
	// so on. If empty, DefaultName.
	Name string

	// AllowOthers lets Open take a file that other users of the machine may read or write, or that
	// is in a folder where others may write (unless its sticky bit is set, as that of /tmp). The
	// file has the keys that sign deliveries, and anybody who can write to it, or replace it, can
	// have deliveries sent elsewhere. Set it on file systems whose modes do not say who may do what.
	// Access of the file's group is always allowed. If false, Open refuses such a file.
	AllowOthers bool

	budget    int // how many deliveries the events above the watermark may have; if zero, a default
	spillStep int // how many subscriptions get chunks in one commit; if zero, a default
	eraseStep int // how many deliveries one step of an erasure changes; if zero, defaultEraseStep

	wall func() time.Time // the system's clock; if nil, time.Now

	closeWait time.Duration // if zero, CloseWait
}

// withDefaults returns a copy of o with the defaults filled in. o may be nil.
func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Name == "" {
		c.Name = DefaultName
	}
	if c.wall == nil {
		c.wall = time.Now
	}
	if c.closeWait == 0 {
		c.closeWait = CloseWait
	}
	if c.eraseStep == 0 {
		c.eraseStep = buckets.DefaultEraseStep
	}
	return c
}

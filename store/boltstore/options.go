package boltstore

import "time"

// DefaultBucket is the name of the bucket that has a store, when [Options] name none.
const DefaultBucket = "outhook"

// Options are the settings of a [Store]. Its zero value, like nil, has the defaults.
type Options struct {
	// Bucket is the name of the top-level bucket that has the store. If empty, DefaultBucket.
	Bucket string

	budget    int // how many deliveries the events above the watermark may have; if zero, defaultBudget
	spillStep int // how many subscriptions get chunks in one commit; if zero, defaultSpillStep

	wall func() time.Time // the system's clock; if nil, time.Now
}

// withDefaults returns a copy of o with the defaults filled in.
func (o *Options) withDefaults() Options {
	var c Options
	if o != nil {
		c = *o
	}
	if c.Bucket == "" {
		c.Bucket = DefaultBucket
	}
	if c.budget == 0 {
		c.budget = defaultBudget
	}
	if c.wall == nil {
		c.wall = time.Now
	}
	if c.spillStep == 0 {
		c.spillStep = defaultSpillStep
	}
	return c
}

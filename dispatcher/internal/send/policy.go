package send

import "time"

// Policy is how the attempts of one subscription are made. All must be set but for those that say
// so.
type Policy struct {
	Timeout     time.Duration // of an attempt, from its start to the last byte of the answer
	Method      string        // POST, PUT or PATCH
	ContentType string        // of the body
	Success     func(status int) bool
	Final       func(status int) bool // which refusals are final; if nil, none
}

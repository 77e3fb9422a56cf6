package tryout

import (
	"encoding/json"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/filter"
	"github.com/outhook/outhook/store"
)

// Try is what is tried: a filter and fields. Either may be nil.
type Try struct {
	filter *filter.Filter
	fields *filter.Fields
}

// Parse returns what a subscription asks for. It returns an *events.InvalidError if its Events, its
// Filter or its Fields are not valid.
func Parse(sub *store.Subscription) (t Try, err error) {
	for _, p := range sub.Events {
		if err := events.ValidatePattern(p); err != nil {
			return t, err
		}
	}
	if sub.Filter != "" {
		if t.filter, err = filter.Parse([]byte(sub.Filter)); err != nil {
			return t, err
		}
	}
	if len(sub.Fields) > 0 {
		t.fields, err = filter.ParseFields(sub.Fields)
	}
	return t, err
}

// On says whether an event with the wire body is taken, and what payload would be sent. The payload
// may share memory with the body; nil if the body cannot be read.
func (t Try) On(body []byte) (takes bool, payload json.RawMessage) {
	payload, ok := events.PayloadOf(body)
	if !ok {
		return false, nil
	}
	takes = t.filter == nil || t.filter.Match(payload)
	if t.fields != nil {
		if payload, ok = t.fields.Append(nil, payload); !ok {
			return false, nil
		}
	}
	return takes, payload
}

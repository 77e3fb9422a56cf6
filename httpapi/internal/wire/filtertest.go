package wire

import (
	"encoding/json"

	"github.com/outhook/outhook/dispatcher"
)

// FilterTests is the response of /webhooks.test_filter.
type FilterTests struct {
	Tested int          `json:"tested"` // how many events
	Taken  int          `json:"taken"`  // how many of them the filter takes
	Data   []FilterTest `json:"data"`   // newest first
}

// FilterTest says what a filter and fields make of an event.
type FilterTest struct {
	EventID   string    `json:"event_id"`
	Tenant    *string   `json:"tenant,omitempty"` // for the operator alone
	EventType string    `json:"event_type"`
	Time      Timestamp `json:"time"` // when it happened
	Taken     bool      `json:"taken"`

	// Payload is what would be sent; left out if the event would not be.
	Payload json.RawMessage `json:"payload,omitempty"`
}

// FilterTests returns the response for tests.
func (v View) FilterTests(tests []dispatcher.FilterTest) FilterTests {
	out := FilterTests{Tested: len(tests), Data: make([]FilterTest, len(tests))}
	for i := range tests {
		t := &tests[i]
		out.Data[i] = FilterTest{
			EventID: t.Event.ID, Tenant: v.tenant(t.Event.Tenant), EventType: t.Event.Type,
			Time: Timestamp(t.Event.Time), Taken: t.Takes,
		}
		if t.Takes {
			out.Taken++
			out.Data[i].Payload = t.Payload
		}
	}
	return out
}

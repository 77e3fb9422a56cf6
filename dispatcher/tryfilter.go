package dispatcher

import (
	"context"
	"encoding/json"

	"github.com/outhook/outhook/dispatcher/internal/tryout"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/store"
)

// FilterTests is how many events TestFilter tests at most.
const FilterTests = tryout.Events

// FilterTest is what a subscription would get of an event.
type FilterTest struct {
	Event   store.StoredEvent
	Takes   bool            // its Filter takes the event
	Payload json.RawMessage // what it would be sent, reduced to its Fields
}

// TestFilter tries the Filter and the Fields of a subscription on the newest events of its Tenant
// whose types its Events select, newest first, FilterTests at most. Of sub it needs these four, so
// that what is not subscribed yet can be tried. It returns an *events.InvalidError if one of them
// is not valid.
//
// Events that no subscription has got are not stored, and so not tried. Bound: it reads a
// thousand deliveries and FilterTests events at most.
func (d *Dispatcher) TestFilter(
	ctx context.Context, sub store.Subscription,
) ([]FilterTest, error) {
	try, err := tryout.Parse(&sub)
	if err != nil {
		return nil, err
	}
	if err := events.ValidateTenant(sub.Tenant); err != nil {
		return nil, err
	}
	recent, err := tryout.Recent(ctx, d.store, sub.Tenant, sub.Events, FilterTests)
	var tests []FilterTest
	for _, ev := range recent {
		t := FilterTest{Event: ev}
		t.Takes, t.Payload = try.On(ev.Body)
		tests = append(tests, t)
	}
	return tests, err
}

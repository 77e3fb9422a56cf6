package form

import (
	"net/url"
	"slices"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/store"
)

// Filter is what a request selects deliveries by, as its form shows it.
type Filter struct {
	ID, Event, Tenant, State, Type, Last, Since, Until string

	Query   store.DeliveryQuery
	Problem string // what is wrong with it, for people; empty if nothing is
}

// spans are the presets of time.
var spans = map[string]time.Duration{
	"1h": time.Hour, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour,
}

// ReadFilter reads a filter from a form. within is the query that it narrows down: what the sender
// may see, or one webhook of that. tenant is what its links have; empty for a customer.
func ReadFilter(values url.Values, within store.DeliveryQuery, tenant string) Filter {
	f := Filter{
		ID: values.Get("id"), Event: values.Get("event"), Tenant: tenant,
		State: values.Get("state"), Type: values.Get("type"), Last: values.Get("last"),
		Since: values.Get("since"), Until: values.Get("until"), Query: within,
	}
	f.Query.EventID, f.Query.EventType = f.Event, f.Type
	if f.Event != "" && f.Query.AnyTenant {
		f.Problem = "An event is searched in one tenant. Choose the tenant, or use the search above."
		f.Query.EventID = ""
	}
	if f.State != "" {
		f.Query.States = []store.State{store.State(f.State)}
		if !slices.Contains(store.States(), f.Query.States[0]) {
			f.State, f.Query.States, f.Problem = "", nil, "There is no such state. Choose one."
		}
	}
	if f.Type != "" && events.ValidateType(f.Type) != nil {
		f.Problem, f.Query.EventType = "This is no event type. Write one such as order.created.", ""
	}
	f.readTimes()
	return f
}

// readTimes reads from when until when. A preset comes before times.
func (f *Filter) readTimes() {
	if d, ok := spans[f.Last]; ok {
		f.Since, f.Until = "", ""
		f.Query.Since = time.Now().Add(-d)
		return
	}
	f.Last = ""
	for _, t := range []struct {
		value *string
		to    *time.Time
	}{{&f.Since, &f.Query.Since}, {&f.Until, &f.Query.Until}} {
		if *t.value == "" {
			continue
		}
		at, err := time.Parse("2006-01-02T15:04", *t.value)
		if err != nil {
			at, err = time.Parse(time.RFC3339, *t.value)
		}
		if err != nil {
			f.Problem = "This is no time. Write it in UTC, such as 2026-05-03T14:00."
			*t.value = ""
			continue
		}
		*t.to = at
	}
	if !f.Query.Since.IsZero() && !f.Query.Until.IsZero() && !f.Query.Since.Before(f.Query.Until) {
		f.Problem, f.Until, f.Query.Until = "The end is not after the start.", "", time.Time{}
	}
}

// URL returns a page with the filter.
func (f Filter) URL(page string) string {
	return show.To(page, "id", f.ID, "event", f.Event, "tenant", f.Tenant, "state", f.State,
		"type", f.Type, "last", f.Last, "since", f.Since, "until", f.Until)
}

// Any reports whether it selects by anything.
func (f Filter) Any() bool {
	return f.Event+f.State+f.Type+f.Last+f.Since+f.Until != ""
}

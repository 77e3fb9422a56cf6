package form

import (
	"net/url"
	"slices"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/httpapi/console/internal/text"
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
	if f.Last != "" {
		f.Last, f.Problem = "", "There is no such span of time. Choose one, or write times."
	}
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

// Freeze makes the filter one of a fixed time, which ends now at the latest, so that what is done
// by it later is what was shown.
func (f *Filter) Freeze(now time.Time) {
	if f.Query.Until.IsZero() || f.Query.Until.After(now) {
		f.Query.Until = now
	}
	f.Last, f.Since, f.Until = "", "", f.Query.Until.UTC().Format(time.RFC3339Nano)
	if !f.Query.Since.IsZero() {
		f.Since = f.Query.Since.UTC().Format(time.RFC3339Nano)
	}
}

// Fields are the names and values of the filter in a form.
func (f Filter) Fields() [][2]string {
	return [][2]string{{"id", f.ID}, {"event", f.Event}, {"tenant", f.Tenant},
		{"state", f.State}, {"type", f.Type}, {"last", f.Last}, {"since", f.Since},
		{"until", f.Until}}
}

// Words say what the filter selects, one line for each of its fields but the webhook.
func (f Filter) Words() []string {
	var out []string
	for _, field := range [][2]string{{"Tenant", f.Tenant}, {"Event", f.Event},
		{"State", f.State}, {"Type", f.Type}, {"Published from", f.Since},
		{"Published before", f.Until}} {
		if field[1] != "" {
			out = append(out, field[0]+": "+text.Line(field[1]))
		}
	}
	return out
}

// URL returns a page with the filter.
func (f Filter) URL(page string) string {
	var pairs []string
	for _, field := range f.Fields() {
		pairs = append(pairs, field[0], field[1])
	}
	return show.To(page, pairs...)
}

// Any reports whether it selects by anything.
func (f Filter) Any() bool {
	return f.Event+f.State+f.Type+f.Last+f.Since+f.Until != ""
}

package form

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/httpapi/internal/ask"
	"github.com/outhook/outhook/store"
)

// Filter is what a request selects deliveries by, as its form shows it.
type Filter struct {
	ID, Event, Tenant, State string
	Type, Key, Tag           string
	Class, Status            string // of the last answer
	Last, Since, Until       string // when it was published

	Query   store.DeliveryQuery
	Problem string // what is wrong with it, for people; empty if nothing is
}

// Missed is the State of a filter that selects what is dead or canceled: what an endpoint that was
// down has not got.
const Missed = "missed"

// Span is a preset of time.
type Span struct {
	Name, Label string
	Long        time.Duration
}

// Spans are the presets of time, the shortest first.
func Spans() []Span {
	const day = 24 * time.Hour
	return []Span{
		{"15m", "last 15 minutes", 15 * time.Minute}, {"1h", "last hour", time.Hour},
		{"24h", "last 24 hours", day}, {"7d", "last 7 days", 7 * day}, {"30d", "last 30 days", 30 * day},
	}
}

// ReadFilter reads a filter from a form. within is the query that it narrows down: what the sender
// may see, or one webhook of that. tenant is what its links have; empty for a customer.
func ReadFilter(values url.Values, within store.DeliveryQuery, tenant string) Filter {
	f := Filter{
		ID: values.Get("id"), Event: values.Get("event"), Tenant: tenant,
		State: values.Get("state"), Type: values.Get("type"), Key: values.Get("key"),
		Tag:   strings.TrimSpace(values.Get("tag")),
		Class: values.Get("class"), Status: strings.TrimSpace(values.Get("status")),
		Last: values.Get("last"), Since: values.Get("since"), Until: values.Get("until"),
		Query: within,
	}
	f.Query.EventID, f.Query.EventType, f.Query.Key, f.Query.Tag = f.Event, f.Type, f.Key, f.Tag
	if f.Event != "" && f.Query.AnyTenant {
		f.Problem = "An event is searched in one tenant. Choose the tenant, or use the search above."
		f.Query.EventID = ""
	}
	switch f.State {
	case "":
	case Missed:
		f.Query.States = []store.State{store.Dead, store.Canceled}
	default:
		f.Query.States = []store.State{store.State(f.State)}
		if !slices.Contains(store.States(), f.Query.States[0]) {
			f.State, f.Query.States, f.Problem = "", nil, "There is no such state. Choose one."
		}
	}
	if f.Type != "" && events.ValidateType(f.Type) != nil {
		f.Problem, f.Query.EventType = "This is no event type. Write one such as order.created.", ""
	}
	if f.Tag != "" && events.ValidateTag(f.Tag) != nil {
		f.Tag, f.Query.Tag = "", ""
		f.Problem = "This is no tag. Write one such as vip or order:17."
	}
	f.readAnswer()
	f.readTimes()
	return f
}

// readAnswer reads what the last answer is to be.
func (f *Filter) readAnswer() {
	if f.Class != "" {
		f.Query.ErrorClass = f.Class
		if !slices.Contains(dispatcher.Classes(), dispatcher.Class(f.Class)) {
			f.Class, f.Query.ErrorClass, f.Problem = "", "", "There is no such failure. Choose one."
		}
	}
	if f.Status != "" {
		statuses, ok := ask.ParseStatusRange(f.Status)
		if !ok {
			f.Status, f.Problem = "", "This is no status. Write one such as 503, or 5xx."
		}
		f.Query.LastStatus = statuses
	}
}

// readTimes reads from when until when. A preset comes before times.
func (f *Filter) readTimes() {
	for _, span := range Spans() {
		if span.Name == f.Last {
			f.Since, f.Until = "", ""
			f.Query.Since = time.Now().Add(-span.Long)
			return
		}
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
		at, err := time.Parse(inputTime, *t.value)
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

// SinceInput and UntilInput are the times as a field for times takes them: in UTC, to the minute.
func (f Filter) SinceInput() string { return input(f.Since, f.Query.Since) }
func (f Filter) UntilInput() string { return input(f.Until, f.Query.Until) }

// instant returns a time for people; empty if it is zero.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}

// input returns a time as a field takes it; empty if none was given.
func input(given string, t time.Time) string {
	if given == "" || t.IsZero() {
		return ""
	}
	return t.UTC().Format(inputTime)
}

// inputTime is the form of a time in a field for times.
const inputTime = "2006-01-02T15:04"

// Fields are the names and values of the filter in a form.
func (f Filter) Fields() [][2]string {
	return [][2]string{{"id", f.ID}, {"event", f.Event}, {"tenant", f.Tenant},
		{"state", f.State}, {"class", f.Class}, {"status", f.Status}, {"type", f.Type},
		{"key", f.Key}, {"tag", f.Tag}, {"last", f.Last}, {"since", f.Since}, {"until", f.Until}}
}

// Words say what the filter selects, one line for each of its fields but the webhook.
func (f Filter) Words() []string {
	var out []string
	for _, field := range [][2]string{{"Tenant", f.Tenant}, {"Event", f.Event},
		{"State", f.stateText()}, {"Last failure", show.ClassText(f.Class)}, {"Last status", f.Status},
		{"Type", f.Type}, {"Key", f.Key}, {"Tag", f.Tag}, {"Published from", instant(f.Query.Since)},
		{"Published before", instant(f.Query.Until)}} {
		if field[1] != "" {
			out = append(out, field[0]+": "+text.Line(field[1]))
		}
	}
	return out
}

// stateText is the state for people.
func (f Filter) stateText() string {
	if f.State == Missed {
		return "dead or canceled"
	}
	return f.State
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
	return f.Event+f.State+f.Class+f.Status+f.Type+f.Key+f.Tag+f.Last+f.Since+f.Until != ""
}

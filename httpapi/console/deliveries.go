package console

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/store"
)

// row is a delivery in a table.
type row struct {
	store.Delivery
	Status  state
	Answer  string
	Webhook string // its name
}

// deliveryRows is a table of deliveries.
type deliveryRows struct {
	Rows       []row
	OneWebhook bool // they are all of one, so it is not named in each
	Operator   bool
	Select     bool // rows can be selected
}

func newRows(all []store.Delivery) []row {
	now := time.Now()
	rows := make([]row, len(all))
	for i, d := range all {
		rows[i] = row{Delivery: d, Status: deliveryState(&d, now), Webhook: short(d.SubscriptionID)}
		if d.State != store.Canceled {
			rows[i].Answer = answerOf(d.LastStatus, d.LastError)
		}
	}
	return rows
}

// nameWebhooks gives rows the names of their webhooks. One that can't be read keeps its ID.
func (q *request) nameWebhooks(rows []row) {
	names := make(map[string]string)
	for i := range rows {
		id := rows[i].SubscriptionID
		name, known := names[id]
		if !known {
			if sub, err := q.d.Subscription(q.r.Context(), id); err == nil {
				name = text.Line(cmp.Or(sub.Name, showURL(sub.URL)))
			}
			names[id] = name
		}
		rows[i].Webhook = cmp.Or(name, rows[i].Webhook)
	}
}

// filter is what a request selects deliveries by, as its form shows it.
type filter struct {
	ID, Event, Tenant, State, Type, Last, Since, Until string

	query store.DeliveryQuery
	err   string // what is wrong with it
}

// spans are the presets of time.
var spans = map[string]time.Duration{
	"1h": time.Hour, "24h": 24 * time.Hour, "7d": 7 * 24 * time.Hour,
}

// readFilter reads a filter. Of another tenant's webhook it is errNotFound.
func (q *request) readFilter() (filter, error) {
	f := filter{
		ID: q.form.Get("id"), Event: q.form.Get("event"), State: q.form.Get("state"),
		Type: q.form.Get("type"), Last: q.form.Get("last"), Since: q.form.Get("since"),
		Until: q.form.Get("until"),
	}
	f.query = q.scope()
	if q.access.AnyTenant { // a customer's is not for its links
		f.Tenant = f.query.Tenant
	}
	if f.ID != "" {
		sub, err := q.subscription(f.ID)
		if err != nil {
			return f, err
		}
		f.query.Tenant, f.query.AnyTenant, f.query.SubscriptionID = sub.Tenant, false, sub.ID
	}
	f.query.EventID, f.query.EventType = f.Event, f.Type
	if f.Event != "" && f.query.AnyTenant {
		f.err = "An event is searched in one tenant. Choose the tenant, or use the search above."
		f.query.EventID = ""
	}
	if f.State != "" {
		f.query.States = []store.State{store.State(f.State)}
		if !slices.Contains(store.States(), f.query.States[0]) {
			f.State, f.query.States, f.err = "", nil, "There is no such state. Choose one."
		}
	}
	if f.Type != "" && events.ValidateType(f.Type) != nil {
		f.err, f.query.EventType = "This is no event type. Write one such as order.created.", ""
	}
	f.readTimes()
	return f, nil
}

// readTimes reads from when until when. A preset comes before times.
func (f *filter) readTimes() {
	if d, ok := spans[f.Last]; ok {
		f.Since, f.Until = "", ""
		f.query.Since = time.Now().Add(-d)
		return
	}
	f.Last = ""
	for _, t := range []struct {
		value *string
		to    *time.Time
	}{{&f.Since, &f.query.Since}, {&f.Until, &f.query.Until}} {
		if *t.value == "" {
			continue
		}
		at, err := time.Parse("2006-01-02T15:04", *t.value)
		if err != nil {
			at, err = time.Parse(time.RFC3339, *t.value)
		}
		if err != nil {
			f.err = "This is no time. Write it in UTC, such as 2026-05-03T14:00."
			*t.value = ""
			continue
		}
		*t.to = at
	}
	if !f.query.Since.IsZero() && !f.query.Until.IsZero() && !f.query.Since.Before(f.query.Until) {
		f.err, f.Until, f.query.Until = "The end is not after the start.", "", time.Time{}
	}
}

// URL returns a page with the filter.
func (f filter) URL(page string) string {
	return to(page, "id", f.ID, "event", f.Event, "tenant", f.Tenant, "state", f.State,
		"type", f.Type, "last", f.Last, "since", f.Since, "until", f.Until)
}

// Any reports whether it selects by anything.
func (f filter) Any() bool {
	return f.Event+f.State+f.Type+f.Last+f.Since+f.Until != ""
}

// deliveriesPage is the data of the page of deliveries.
type deliveriesPage struct {
	deliveryRows
	Filter         filter
	Problem        string
	WebhookName    string
	WebhookURL     string // of its page
	Types          []events.Type
	Counted        bool
	Total          int
	TotalMore      bool
	Count          string // the URL that counts
	Next, Previous string
	Replay         string // the URL of a replay of all that match
	Short          bool   // the store stopped reading before the page was full
}

// deliveries shows deliveries, newest first.
func (q *request) deliveries() (*view, error) {
	f, err := q.readFilter()
	if err != nil {
		return nil, err
	}
	query := f.query
	query.Cursor, query.Limit = q.form.Get("cursor"), pageSize
	query.Count = q.form.Get("count") != ""
	page, err := q.d.Deliveries(q.r.Context(), query)
	if err != nil {
		return nil, err
	}
	data := deliveriesPage{
		deliveryRows: deliveryRows{
			Rows: newRows(page.Items), OneWebhook: f.ID != "",
			Operator: query.AnyTenant, Select: q.access.May.Send(),
		},
		Filter: f, Problem: f.err, Types: q.d.EventTypes(),
		Counted: query.Count, Total: page.Total, TotalMore: page.TotalIsLowerBound,
		Next: q.cursorURL(page.Next), Previous: q.cursorURL(page.Previous),
		Count: f.URL("deliveries") + "&count=1", Replay: f.URL("replay"),
		Short: page.Next != "" && len(page.Items) < pageSize,
	}
	if !data.Filter.Any() && f.ID == "" && f.Tenant == "" {
		data.Count = "deliveries?count=1"
	}
	if f.ID != "" {
		data.WebhookURL = to("webhook", "id", f.ID)
		if sub, err := q.subscription(f.ID); err == nil {
			data.WebhookName = text.Line(cmp.Or(sub.Name, showURL(sub.URL)))
		}
	} else {
		q.nameWebhooks(data.Rows)
	}
	return &view{template: "deliveries", title: "Deliveries", data: data, live: true}, nil
}

// attempt is an attempt as the page of a delivery shows it.
type attempt struct {
	store.Attempt
	Status       state
	Answer       string // in a few words
	Reason       string // the whole of Error
	Advice       string
	Body         string // how the answer began
	BodyShown    bool
	HasBody      bool
	AnswerStatus int
	Phases       string
	Remote       string // for the operator alone
	Sent, Got    []store.HeaderField
	SentCut      bool
	GotCut       bool
}

// deliveryPage is the data of the page of a delivery.
type deliveryPage struct {
	row
	Name, URL string // of the webhook
	On        bool
	Attempts  []attempt // newest first
	Payload   payload
	Download  string // a URL
	Curl      string
	Trace     string // a URL
	Key       string
	Due       bool // it may be attempted now
	CanResend bool
}

// delivery shows a delivery with its attempts.
func (q *request) delivery() (*view, error) {
	sub, d, err := q.oneDelivery(q.form.Get("id"), q.form.Get("event"))
	if err != nil {
		return nil, err
	}
	all, err := q.d.Attempts(q.r.Context(), sub.ID, d.EventID)
	if err != nil {
		return nil, err
	}
	data := deliveryPage{
		row:  newRows([]store.Delivery{d})[0],
		Name: text.Line(cmp.Or(sub.Name, showURL(sub.URL))), URL: showURL(sub.URL),
		On:  sub.Collects(),
		Due: d.State == store.Pending && !d.DueAt.After(time.Now()),
	}
	data.CanResend = data.On && !d.Erased && sub.SealedWith == ""
	ev, err := q.storedEvent(&d)
	if err != nil {
		return nil, err
	}
	data.Payload, data.Trace, data.Key = q.payload(sub, ev), q.traceURL(ev), text.Line(ev.Key)
	data.Curl = q.curl(&sub, ev)
	if q.access.May.Payloads() && !ev.Erased() {
		data.Download = to("download", "id", sub.ID, "event", d.EventID)
	}
	for _, a := range slices.Backward(all) {
		data.Attempts = append(data.Attempts, q.newAttempt(a))
	}
	return &view{template: "delivery", title: "Delivery of " + d.EventType, data: data, live: true},
		nil
}

// newAttempt returns what is shown of an attempt. The answer's body may repeat the payload, so only
// those who may see payloads see it.
func (q *request) newAttempt(a store.Attempt) attempt {
	out := attempt{Attempt: a, Answer: answerOf(a.Status, a.Error), Reason: reasonText(a.Error),
		Advice: advice(a.Status, a.Error), AnswerStatus: a.Status, HasBody: len(a.Response) > 0,
		BodyShown: q.access.May.Payloads()}
	if dispatcher.ErrorClass(a.Error) == dispatcher.ClassHTTPStatus {
		out.Answer, out.Reason = out.Reason, "" // one line says both
	}
	out.Status = state{"ok", "succeeded", ""}
	if a.Error != "" {
		out.Status = state{"bad", "failed", ""}
	}
	if out.BodyShown {
		out.Body, _ = text.Body(a.Response, store.MaxResponse)
	}
	if d := a.Detail; d != nil && d.Sealed == nil {
		out.Phases = phases(d)
		out.Sent, out.SentCut = shownHeaders(d.Request), d.RequestCut
		out.Got, out.GotCut = shownHeaders(d.Answer), d.AnswerCut
		if q.access.AnyTenant {
			out.Remote = text.Line(d.RemoteAddress)
		}
	}
	return out
}

// phases says how long each part of an attempt took.
func phases(d *store.AttemptDetail) string {
	var parts []string
	if d.Reused {
		parts = append(parts, "connection kept")
	}
	for _, p := range []struct {
		name string
		took time.Duration
	}{{"name", d.DNS}, {"connect", d.Connect}, {"TLS", d.TLS}, {"first byte", d.FirstByte}} {
		if p.took > 0 {
			parts = append(parts, p.name+" "+duration(p.took))
		}
	}
	return strings.Join(parts, " · ")
}

func shownHeaders(all []store.HeaderField) []store.HeaderField {
	out := make([]store.HeaderField, len(all))
	for i, h := range all {
		out[i] = store.HeaderField{Name: text.Line(h.Name), Value: text.Line(h.Value)}
	}
	return out
}

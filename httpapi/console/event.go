package console

import (
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/store"
)

// eventPage is the data of the page of an event, or of a search for one.
type eventPage struct {
	ID      string
	Problem string // why nothing was found
	Found   []foundEvent
	Tenants int  // how many were searched, by an operator
	Partial bool // there are more
}

// foundEvent is an event of one tenant with those who got it.
type foundEvent struct {
	Tenant, Type string
	At           time.Time
	deliveryRows
}

// maxTenants is how many tenants a search for an event goes through, within readBudget too.
const maxTenants = 200

// event shows who got an event. An ID is its tenant's, so an operator's search goes through the
// tenants.
func (q *request) event() (*view, error) {
	id := strings.TrimSpace(q.form.Get("id"))
	data := eventPage{ID: text.Line(id)}
	v := &view{template: "event", title: "Event", live: true}
	tenants, err := q.tenants(&data)
	if err != nil {
		return nil, err
	}
	if id != "" {
		for _, tenant := range tenants {
			page, err := q.d.Deliveries(q.r.Context(), store.DeliveryQuery{
				Tenant: tenant, EventID: id, Limit: store.DefaultDeliveryLimit,
			})
			if err != nil {
				return nil, err
			}
			if len(page.Items) > 0 {
				data.Found = append(data.Found, q.newFound(tenant, page.Items))
			}
		}
	}
	if len(data.Found) == 0 {
		data.Problem = "No webhook has got an event with this ID. Nobody may have been " +
			"subscribed to its type, it may be older than the history, or the ID is another."
		if id == "" {
			data.Problem = "Enter the ID of an event. Receivers get it as webhook-id."
		}
		v.status = http.StatusNotFound
	}
	v.data = data
	return v, nil
}

func (q *request) newFound(tenant string, all []store.Delivery) foundEvent {
	rows := newRows(all)
	q.nameWebhooks(rows)
	return foundEvent{
		Tenant: tenant, Type: all[0].EventType, At: all[0].CreatedAt,
		deliveryRows: deliveryRows{Rows: rows, OneEvent: true},
	}
}

// tenants returns those whose events the sender may search.
func (q *request) tenants(data *eventPage) ([]string, error) {
	if !q.access.AnyTenant {
		return []string{q.access.Tenant}, nil
	}
	if q.form.Has("tenant") {
		return []string{q.form.Get("tenant")}, nil
	}
	end := time.Now().Add(readBudget)
	var all []string
	query := store.SubscriptionQuery{AnyTenant: true, Limit: 500}
	for {
		page, err := q.d.Subscriptions(q.r.Context(), query)
		if err != nil {
			return nil, err
		}
		for i := range page.Items {
			if !slices.Contains(all, page.Items[i].Tenant) {
				all = append(all, page.Items[i].Tenant)
			}
		}
		data.Tenants = len(all)
		switch {
		case page.Next == "":
			return all, nil
		case len(all) >= maxTenants || time.Now().After(end):
			data.Partial = true
			return all, nil
		}
		query.Cursor = page.Next
	}
}

// shownType is a type of the catalogue with its schema and example as they are shown.
type shownType struct {
	Name, Description, Schema, Example string
}

// types shows the catalogue.
func (q *request) types() (*view, error) {
	var all []shownType
	for _, t := range q.d.EventTypes() {
		all = append(all, newType(&t))
	}
	return &view{template: "types", title: "Event types", data: all}, nil
}

func newType(t *events.Type) shownType {
	s := shownType{Name: text.Line(t.Name), Description: text.Line(t.Description)}
	s.Schema, _ = text.Body(t.Schema, maxShown)
	s.Example, _ = text.Body(t.Example, maxShown)
	return s
}

// maxShown is how many bytes of a payload a page shows.
const maxShown = 64 << 10

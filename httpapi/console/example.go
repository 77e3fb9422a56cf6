package console

import (
	"cmp"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console/internal/flash"
	"github.com/outhook/outhook/httpapi/console/internal/read"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/store"
)

// shownType is a type of the catalogue with its schema and example as they are shown.
type shownType struct {
	Name, Description, Version, Deprecated, Schema, Example string
}

// types shows the catalogue.
func (q *request) types() (*view, error) {
	var all []shownType
	for _, t := range q.read.Catalogue() {
		all = append(all, newType(&t))
	}
	return &view{template: "types", title: "Event types", data: all}, nil
}

func newType(t *events.Type) shownType {
	s := shownType{Name: text.Line(t.Name), Description: text.Line(t.Description),
		Version: text.Line(t.Version), Deprecated: text.Line(t.Deprecated)}
	s.Schema, _ = text.Body(t.Schema, show.MaxBody)
	s.Example, _ = text.Body(t.Example, show.MaxBody)
	return s
}

// examplePage is the data of the page that sends the example of a type.
type examplePage struct {
	Type, Example string
	Text          string // what webhooks are searched by
	Webhooks      []webhookChoice
	Next          string // a URL: more webhooks
	Test          *flash.Test
	Name          string // of the webhook of Test
}

// webhookChoice is a webhook that can be chosen.
type webhookChoice struct {
	ID, Label string
	Chosen    bool
}

// example asks which webhook gets the example of a type, and shows how the last test ended.
func (q *request) example() (*view, error) {
	data := examplePage{Text: q.form.Get("text")}
	for _, t := range q.read.Catalogue() {
		if t.Name == q.form.Get("type") && len(t.Example) > 0 {
			shown := newType(&t)
			data.Type, data.Example = shown.Name, shown.Example
		}
	}
	if data.Type == "" {
		return nil, errNotFound
	}
	query := q.read.WebhookScope("")
	query.Text, query.Cursor = data.Text, q.form.Get("cursor")
	page, err := q.d.Subscriptions(q.r.Context(), query)
	if err != nil {
		return nil, err
	}
	data.Next = q.cursorURL(page.Next)
	if id := q.form.Get("id"); id != "" {
		sub, err := q.subscription(id)
		if err != nil {
			return nil, err
		}
		data.Test = q.jar.TakeTest(sub.ID, data.Type, q.access.May.Payloads())
		data.Name = read.Name(&sub)
		data.Webhooks = append(data.Webhooks, q.newChoice(&sub, true))
	}
	for i := range page.Items {
		sub := &page.Items[i]
		chosen := len(data.Webhooks) > 0 && sub.ID == data.Webhooks[0].ID
		if !chosen && sub.URL != "" { // without one it is read by poll
			data.Webhooks = append(data.Webhooks, q.newChoice(sub, false))
		}
	}
	return &view{template: "example", title: "Send an example", data: data}, nil
}

// newChoice returns what is shown of a webhook that can be chosen.
func (q *request) newChoice(sub *store.Subscription, chosen bool) webhookChoice {
	label := read.Name(sub)
	if sub.Name != "" {
		label += " (" + show.URL(sub.URL) + ")"
	}
	if q.access.AnyTenant {
		label += " of " + cmp.Or(text.Line(sub.Tenant), "no tenant")
	}
	return webhookChoice{ID: sub.ID, Label: label, Chosen: chosen}
}

// sendExample sends the example of a type to a webhook and goes back to its page, which shows how
// it ended.
func (q action) sendExample() (string, *view, error) {
	sub, err := q.subscription(q.form.Get("id"))
	if err != nil {
		return "", nil, err
	}
	eventType := q.form.Get("type")
	a, err := q.d.PingExample(q.r.Context(), sub.ID, eventType)
	if err != nil {
		return "", nil, err
	}
	q.jar.PassTest(sub.ID, eventType, &a, q.access.May.Payloads())
	return show.To("example", "id", sub.ID, "type", eventType) + "#test", nil, nil
}

package console

import (
	"fmt"
	"time"

	"github.com/outhook/outhook/httpapi/console/internal/read"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/store"
)

// confirmation is a page that says what an action will do before it is done.
type confirmation struct {
	Heading string
	Lines   []string // what will happen
	Action  string   // the page to POST to
	Fields  [][2]string
	Button  string
	Danger  bool
	Overlap bool   // how long the old key stays is asked, and
	Kind    string // of which kind the new one is: that of the newest
	Back    string // where to go instead
	Nothing bool   // there is nothing to do, so there is no button
	GoOn    bool   // the script presses the button by itself
	Problem string // what went wrong before; empty if nothing did
}

// asks makes a page of an action that asks.
func asks(page func(action) (*view, error)) func(*request) (*view, error) {
	return func(q *request) (*view, error) { return page(action{q}) }
}

func confirm(c confirmation) (*view, error) {
	return &view{template: "confirm", title: c.Heading, data: c}, nil
}

// named is the confirmation of an action on a webhook.
func (q action) named(action string) (store.Subscription, confirmation, string, error) {
	sub, err := q.subscription(q.form.Get("id"))
	c := confirmation{
		Action: action, Fields: [][2]string{{"id", sub.ID}}, Back: show.To("webhook", "id", sub.ID),
	}
	return sub, c, read.Name(&sub), err
}

func (q action) confirmDisable() (*view, error) {
	sub, c, name, err := q.named("disable")
	if err != nil {
		return nil, err
	}
	stats, err := q.d.SubscriptionStats(q.r.Context(), sub.ID)
	if err != nil {
		return nil, err
	}
	c.Heading, c.Button = "Disable "+name+"?", "Disable"
	c.Lines = []string{
		"No attempt starts any more. One that is under way is not cut off.",
		fmt.Sprintf("%s canceled, and can be replayed when it is enabled again.",
			show.IsAre(stats.Pending, "pending delivery")),
		"Events that are published while it is off are not kept for it.",
	}
	return confirm(c)
}

func (q action) confirmDelete() (*view, error) {
	sub, c, name, err := q.named("delete")
	if err != nil {
		return nil, err
	}
	stats, err := q.d.SubscriptionStats(q.r.Context(), sub.ID)
	if err != nil {
		return nil, err
	}
	c.Heading, c.Button, c.Danger = "Delete "+name+"?", "Delete", true
	c.Lines = []string{
		"The webhook goes, and all of its history with it. This can't be undone.",
		fmt.Sprintf("%s never sent.", show.IsAre(stats.Pending, "pending delivery")),
		"To stop it and keep the history, disable it instead.",
	}
	return confirm(c)
}

// version says which state of a webhook a form is about.
func version(sub *store.Subscription) string {
	return sub.UpdatedAt.UTC().Format(time.RFC3339Nano)
}

func (q action) confirmRotate() (*view, error) {
	sub, c, name, err := q.named("rotate")
	if err != nil {
		return nil, err
	}
	c.Fields = append(c.Fields, [2]string{"updated", version(&sub)})
	c.Heading, c.Button, c.Overlap = "New key for "+name, "Make a new key", true
	c.Kind = string(newestKey(&sub).Kind())
	if !sub.Signed() {
		c.Overlap, c.Fields = false, append(c.Fields, [2]string{"overlap", "0"})
		c.Lines = []string{
			"A key is made and shown once, on the next page.",
			"From then on deliveries are signed. A receiver that does not verify them need not know.",
		}
		return confirm(c)
	}
	c.Lines = []string{
		"A new key is made and shown once, on the next page; of a public key, whenever it is wanted.",
		"For the time that you choose, deliveries are signed with both keys. " +
			"Give your receiver the new one within it.",
	}
	return confirm(c)
}

func (q action) confirmErase() (*view, error) {
	_, d, err := q.read.Delivery(q.r.Context(), q.form.Get("id"), q.form.Get("event"))
	if err != nil {
		return nil, err
	}
	return confirm(confirmation{
		Heading: "Erase event " + text.Line(d.EventID) + "?", Button: "Erase", Danger: true,
		Action: "erase", Fields: [][2]string{{"id", d.SubscriptionID}, {"event", d.EventID}},
		Back: show.To("delivery", "id", d.SubscriptionID, "event", d.EventID),
		Lines: []string{
			"Its payload goes, and what endpoints answered to it, for all webhooks. " +
				"This can't be undone.",
			"Deliveries of it that are pending are canceled. What was sent is sent.",
			"That it was delivered, when and to whom, stays in the history.",
		},
	})
}

package console

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/google/uuid"

	"github.com/outhook/outhook/httpapi/console/internal/form"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// newForm shows the form of a new webhook.
func (q *request) newForm() (*view, error) {
	return q.showForm(&form.Webhook{Operator: q.access.AnyTenant, Tenant: q.form.Get("tenant")}, nil)
}

// editForm shows the form of a webhook.
func (q *request) editForm() (*view, error) {
	sub, err := q.subscription(q.form.Get("id"))
	if err != nil {
		return nil, err
	}
	f := &form.Webhook{
		ID: sub.ID, Name: sub.Name, URL: sub.URL, Polled: sub.URL == "", Filter: sub.Filter,
		Fields: strings.Join(sub.Fields, "\n"), Labels: form.LabelsOf(&sub),
		Policy: form.PolicyOf(&sub),
	}
	for _, name := range slices.Sorted(maps.Keys(sub.Headers)) {
		f.Headers = append(f.Headers, form.Header{Name: name, Stored: name})
	}
	return q.showForm(f, sub.Events)
}

// showForm shows a form with these patterns.
func (q *request) showForm(f *form.Webhook, patterns []string) (*view, error) {
	f.Fill(q.read.Catalogue(), patterns)
	f.Policy.May = q.d.OwnerMay()
	if f.ID == "" && f.NewID == "" {
		f.NewID = uuid.NewString()
	}
	v := &view{template: "form", title: "Add a webhook", data: f}
	if f.ID != "" {
		v.title = "Edit " + text.Line(f.Name)
	}
	f.Heading = v.title
	return v, nil
}

// errForm undoes a change because the form has errors.
var errForm = errors.New("console: the form has errors")

// add makes a webhook with a key of its own, and goes on to the page that shows the key. The form
// has the webhook's ID, so that the same form sent twice adds one, and the second leads to it.
func (q action) add() (string, *view, error) {
	f, patterns := form.ReadWebhook(q.form, q.access.Tenant, q.access.AnyTenant)
	f.ID = ""
	if f.NewID != "" {
		old, err := q.subscription(f.NewID)
		switch {
		case err == nil:
			return show.To("webhook", "id", old.ID), nil, nil
		case !errors.Is(err, store.ErrNotFound):
			return "", nil, err // not an ID, or another tenant's
		}
	}
	sub := store.Subscription{
		ID: f.NewID, Tenant: f.Tenant, Name: f.Name, URL: f.URL,
		Headers: f.HeadersFor("", nil),
		Secrets: []signing.Secret{signing.NewSecretOf(signing.Kind(f.Kind))},
	}
	f.SetPolicy(&sub, q.d.OwnerMay())
	f.SetChoice(&sub, patterns)
	f.Labels.Apply(&sub)
	err := errForm
	if len(f.Errors) == 0 {
		sub, err = q.d.Subscribe(q.r.Context(), sub)
	}
	if err != nil {
		return q.again(f, patterns, err)
	}
	q.jar.PassKey(sub.ID, newestKey(&sub))
	return show.To("key", "id", sub.ID, "done", "added"), nil, nil
}

// save changes a webhook.
func (q action) save() (string, *view, error) {
	sub, err := q.subscription(q.form.Get("id"))
	if err != nil {
		return "", nil, err
	}
	f, patterns := form.ReadWebhook(q.form, q.access.Tenant, q.access.AnyTenant)
	_, err = q.d.Update(q.r.Context(), sub.ID, func(s *store.Subscription) error {
		headers := f.HeadersFor(s.URL, s.Headers)
		f.SetPolicy(s, q.d.OwnerMay())
		if len(f.Errors) > 0 {
			return errForm
		}
		s.Name, s.URL, s.Headers = f.Name, f.URL, headers
		f.SetChoice(s, patterns)
		f.Labels.Apply(s)
		return nil
	})
	if err != nil {
		return q.again(f, patterns, err)
	}
	return show.To("webhook", "id", sub.ID, "done", "saved"), nil, nil
}

// try shows the form again, with what its filter takes of the recent events. It changes nothing.
func (q action) try() (string, *view, error) {
	f, patterns := form.ReadWebhook(q.form, q.access.Tenant, q.access.AnyTenant)
	draft := store.Subscription{Tenant: f.Tenant}
	if f.ID != "" {
		sub, err := q.subscription(f.ID)
		if err != nil {
			return "", nil, err
		}
		draft.Tenant = sub.Tenant
	}
	f.SetChoice(&draft, patterns)
	clear(f.Errors) // only what is tried counts
	tests, err := q.d.TestFilter(q.r.Context(), draft)
	if err != nil {
		return q.again(f, patterns, err)
	}
	f.Tests = form.NewFilterTests(tests)
	if f.Operator {
		f.Tests.Tenant = draft.Tenant
	}
	f.DropValues()
	v, err := q.showForm(f, patterns)
	return "", v, err
}

// again shows the form with what is wrong in it. An error that is not of the form, such as a quota
// or trouble of the store, stands above it, with its own status: what was entered is not lost.
func (q action) again(f *form.Webhook, patterns []string, err error) (string, *view, error) {
	status := http.StatusUnprocessableEntity
	if !errors.Is(err, errForm) && !f.AddError(err) {
		p := q.explain(err)
		if p.status == http.StatusNotFound {
			return "", nil, err
		}
		f.Errors[""], status = p.text, p.status
	}
	f.DropValues()
	v, err := q.showForm(f, patterns)
	if err == nil {
		v.status = status
	}
	return "", v, err
}

// keyPage is the data of the page that shows a key once.
type keyPage struct {
	ID, Name string
	Key      string // symmetric; empty if it was shown already
	Public   string // the public half of an Ed25519 key; it can be shown again
	Polled   bool   // it has no URL, so there is nothing to test
}

// key shows the newest key of a webhook to the browser that has just made it, once, and of an
// Ed25519 key the public half to all who may edit.
func (q *request) key() (*view, error) {
	sub, err := q.subscription(q.form.Get("id"))
	if err != nil {
		return nil, err
	}
	data := keyPage{ID: sub.ID, Name: text.Line(sub.Name), Polled: sub.URL == ""}
	key := newestKey(&sub)
	proven := q.jar.TakeKey(sub.ID, key) // also where it is not shown: the proof is used up
	if data.Public = string(key.Public()); data.Public == "" && proven {
		data.Key = string(key)
	}
	return &view{template: "key", title: "Signing key", data: data}, nil
}

// newestKey returns the newest key of a webhook; empty if there is none, or none that can be read.
func newestKey(sub *store.Subscription) signing.Secret {
	if sub.SealedWith != "" {
		return ""
	}
	return sub.NewestKey()
}

package console

import (
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console/internal/text"
	"github.com/outhook/outhook/signing"
	"github.com/outhook/outhook/store"
)

// webhookForm is the form of a webhook, as it is shown and as it comes back.
type webhookForm struct {
	ID       string // empty for a new one
	Operator bool   // chooses the tenant of a new one
	Tenant   string
	Name     string
	URL      string
	Types    []typeChoice
	Patterns string // one a line: types that are not in the catalogue, families
	Headers  []headerField
	Errors   map[string]string // by field; "" is of the whole
	Heading  string
}

// typeChoice is a type of the catalogue in a form.
type typeChoice struct {
	events.Type
	Chosen bool
}

// headerField is a row of the form. The value of a header that is stored is never shown: an empty
// value keeps it.
type headerField struct {
	Name, Value string
	Stored      string // the name under which a value is stored; empty for a new row
}

// spareHeaders is how many empty rows a form has.
const spareHeaders = 2

func headerNames(sub *store.Subscription) []string {
	if sub.SealedWith != "" {
		return nil
	}
	names := slices.Sorted(maps.Keys(sub.Headers))
	for i := range names {
		names[i] = text.Line(names[i])
	}
	return names
}

// newForm shows the form of a new webhook.
func (q *request) newForm() (*view, error) {
	return q.showForm(&webhookForm{Operator: q.access.AnyTenant, Tenant: q.form.Get("tenant")}, nil)
}

// editForm shows the form of a webhook.
func (q *request) editForm() (*view, error) {
	sub, err := q.subscription(q.form.Get("id"))
	if err != nil {
		return nil, err
	}
	f := &webhookForm{ID: sub.ID, Name: sub.Name, URL: sub.URL}
	for _, name := range slices.Sorted(maps.Keys(sub.Headers)) {
		f.Headers = append(f.Headers, headerField{Name: name, Stored: name})
	}
	return q.showForm(f, sub.Events)
}

// showForm shows a form with these patterns.
func (q *request) showForm(f *webhookForm, patterns []string) (*view, error) {
	for _, t := range q.d.EventTypes() {
		f.Types = append(f.Types, typeChoice{t, slices.Contains(patterns, t.Name)})
	}
	var rest []string
	for _, p := range patterns {
		if !slices.ContainsFunc(f.Types, func(t typeChoice) bool { return t.Name == p }) {
			rest = append(rest, p)
		}
	}
	f.Patterns = strings.Join(rest, "\n")
	for range spareHeaders {
		f.Headers = append(f.Headers, headerField{})
	}
	v := &view{template: "form", title: "Add a webhook", data: f}
	if f.ID != "" {
		v.title = "Edit " + text.Line(f.Name)
	}
	f.Heading = v.title
	if len(f.Errors) > 0 {
		v.status = http.StatusUnprocessableEntity
	}
	return v, nil
}

// readForm reads a form and the patterns in it.
func (q *request) readForm() (*webhookForm, []string) {
	f := &webhookForm{
		ID: q.form.Get("id"), Name: strings.TrimSpace(q.form.Get("name")),
		URL: strings.TrimSpace(q.form.Get("url")), Operator: q.access.AnyTenant,
		Tenant: q.access.Tenant, Errors: make(map[string]string),
	}
	if f.Operator {
		f.Tenant = q.form.Get("tenant")
	}
	patterns := slices.Clone(q.form["type"])
	for _, p := range strings.FieldsFunc(q.form.Get("patterns"), func(c rune) bool {
		return c == '\n' || c == '\r' || c == ','
	}) {
		if p = strings.TrimSpace(p); p != "" && !slices.Contains(patterns, p) {
			patterns = append(patterns, p)
		}
	}
	names, values, stored := q.form["hn"], q.form["hv"], q.form["ho"]
	for i := range names {
		h := headerField{Name: strings.TrimSpace(names[i])}
		if i < len(values) {
			h.Value = values[i]
		}
		if i < len(stored) {
			h.Stored = stored[i]
		}
		if h.Name == "" && h.Value != "" {
			f.Errors["headers"] = "A value has no name. Give the header a name."
		}
		if h.Name != "" || h.Value != "" {
			f.Headers = append(f.Headers, h)
		}
	}
	return f, patterns
}

// headers returns the headers of the form for a webhook that has these. It fails, by an error in
// the form, if one has another name and no value: nobody can see that the old value would go along.
func (f *webhookForm) headers(has map[string]string) map[string]string {
	out := make(map[string]string)
	for _, h := range f.Headers {
		if _, twice := out[h.Name]; twice {
			f.Errors["headers"] = "The header " + text.Line(h.Name) + " is there twice. Keep one."
		}
		value := h.Value
		if value == "" && h.Stored != "" {
			kept, ok := has[h.Stored]
			if h.Stored != h.Name || !ok {
				f.Errors["headers"] = "Give " + text.Line(h.Name) + " its value again."
				continue
			}
			value = kept
		}
		out[h.Name] = value
	}
	return out
}

// formError puts an error beside its field, if it is one of the form's; ok is false if it is not.
func (f *webhookForm) formError(err error) (ok bool) {
	invalid := (*events.InvalidError)(nil)
	if !errors.As(err, &invalid) {
		return false
	}
	subject := map[string]string{
		"url": "The URL", "name": "The name", "events": "The list of types",
		"headers": "The list of headers", "tenant": "The tenant",
	}[invalid.Field]
	field := invalid.Field
	if subject == "" {
		field, subject = "", capital(invalid.Field)
	}
	f.Errors[field] = text.Line(subject + " " + invalid.Reason + ".")
	return true
}

// errForm undoes a change because the form has errors.
var errForm = errors.New("console: the form has errors")

// add makes a webhook with a key of its own, and goes on to the page that shows the key.
func (q *request) add() (string, *view, error) {
	f, patterns := q.readForm()
	f.ID = ""
	sub := store.Subscription{
		Tenant: f.Tenant, Name: f.Name, URL: f.URL, Events: patterns, Headers: f.headers(nil),
		Secrets: []signing.Secret{signing.NewSecret()},
	}
	err := errForm
	if len(f.Errors) == 0 {
		sub, err = q.d.Subscribe(q.r.Context(), sub)
	}
	if err != nil {
		return q.again(f, patterns, err)
	}
	q.proveKey(&sub)
	return to("key", "id", sub.ID, "done", "added"), nil, nil
}

// save changes a webhook.
func (q *request) save() (string, *view, error) {
	f, patterns := q.readForm()
	sub, err := q.subscription(f.ID)
	if err != nil {
		return "", nil, err
	}
	_, err = q.d.Update(q.r.Context(), sub.ID, func(s *store.Subscription) error {
		headers := f.headers(s.Headers)
		if len(f.Errors) > 0 {
			return errForm
		}
		s.Name, s.URL, s.Events, s.Headers = f.Name, f.URL, patterns, headers
		return nil
	})
	if err != nil {
		return q.again(f, patterns, err)
	}
	return to("webhook", "id", sub.ID, "done", "saved"), nil, nil
}

// again shows the form with what is wrong in it, or returns the error if it is not of the form.
func (q *request) again(f *webhookForm, patterns []string, err error) (string, *view, error) {
	if !errors.Is(err, errForm) && !f.formError(err) {
		return "", nil, err
	}
	v, err := q.showForm(f, patterns)
	return "", v, err
}

// keyPage is the data of the page that shows a key once.
type keyPage struct {
	ID, Name string
	Key      string // empty if it was shown already
}

// key shows the newest key of a webhook to the browser that has just made it, once.
func (q *request) key() (*view, error) {
	sub, err := q.subscription(q.form.Get("id"))
	if err != nil {
		return nil, err
	}
	data := keyPage{ID: sub.ID, Name: text.Line(sub.Name), Key: string(q.provenKey(&sub))}
	return &view{template: "key", title: "Signing key", data: data}, nil
}

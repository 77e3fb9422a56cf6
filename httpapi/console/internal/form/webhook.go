// Package form reads the console's forms: that of a webhook, and the filter of deliveries. It is
// given what the sender of a request may see, and asks for nothing.
package form

import (
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/console/internal/show"
	"github.com/outhook/outhook/httpapi/console/internal/text"
)

// Webhook is the form of a webhook, as it is shown and as it comes back.
type Webhook struct {
	ID       string // empty for a new one
	NewID    string // the ID that a new one gets, so that the form adds it once
	Operator bool   // chooses the tenant of a new one
	Tenant   string
	Name     string
	URL      string
	Labels
	Types    []TypeChoice
	Families []Family // of the catalogue
	Patterns string   // one a line: types that are not in the catalogue, other families
	Written  []Family // those of Patterns, with what they match; none without a catalogue
	Filter   string   // JSON; empty for none
	Fields   string   // payload paths, one a line
	Headers  []Header
	Kind     string // of the key of a new one: a signing.Kind
	Policy   Policy
	Tests    *FilterTests      // of the filter, if they were asked for
	Errors   map[string]string // by field; "" is of the whole
	Heading  string
	Polled   bool // it has no URL, and is read by poll
}

// TypeChoice is a type of the catalogue in a form.
type TypeChoice struct {
	events.Type
	Chosen bool
}

// Header is a row of the form. No value is ever shown, neither one that is stored nor one that was
// entered. An empty value keeps what is stored; in a row that has nothing stored it is an error.
type Header struct {
	Name, Value string
	Stored      string // the name under which a value is stored; empty for a new row
}

// DropValues makes rows whose value was entered ask for it again: their page shows no value, so if
// they kept what is stored, the next save would undo the entry unseen.
func (f *Webhook) DropValues() {
	for i := range f.Headers {
		if h := &f.Headers[i]; h.Value != "" {
			h.Value, h.Stored = "", ""
		}
	}
}

// spareHeaders is how many empty rows a form has.
const spareHeaders = 2

// Fill makes a form ready to be shown: with the types and families of the catalogue, those of the
// patterns that are not in it, and empty rows for headers.
func (f *Webhook) Fill(catalogue []events.Type, patterns []string) {
	for _, t := range catalogue {
		f.Types = append(f.Types, TypeChoice{t, slices.Contains(patterns, t.Name)})
	}
	f.Families = families(catalogue)
	for i := range f.Families {
		f.Families[i].Chosen = slices.Contains(patterns, f.Families[i].Pattern)
	}
	var rest []string
	for _, p := range patterns {
		if slices.ContainsFunc(f.Types, func(t TypeChoice) bool { return t.Name == p }) ||
			slices.ContainsFunc(f.Families, func(m Family) bool { return m.Pattern == p }) {
			continue
		}
		rest = append(rest, p)
		if len(catalogue) > 0 && events.ValidatePattern(p) == nil {
			f.Written = append(f.Written, Family{Pattern: p, Matches: matches(catalogue, p)})
		}
	}
	f.Patterns = strings.Join(rest, "\n")
	for range spareHeaders {
		f.Headers = append(f.Headers, Header{})
	}
}

// ReadWebhook reads a form and the patterns in it. tenant is the sender's; an operator chooses one
// in the form.
func ReadWebhook(values url.Values, tenant string, operator bool) (*Webhook, []string) {
	f := &Webhook{
		ID: values.Get("id"), NewID: values.Get("new"), Name: strings.TrimSpace(values.Get("name")),
		URL: strings.TrimSpace(values.Get("url")), Operator: operator, Kind: values.Get("kind"),
		Tenant: tenant, Policy: readPolicy(values), Errors: make(map[string]string),
		Filter: strings.TrimSpace(values.Get("filter")), Fields: values.Get("fields"),
	}
	if f.Operator {
		f.Tenant = values.Get("tenant")
	}
	f.Labels = readLabels(values)
	if f.Labels.problem != "" {
		f.Errors["metadata"] = f.Labels.problem
	}
	patterns := readPatterns(values)
	names, contents, stored := values["hn"], values["hv"], values["ho"]
	for i := range names {
		h := Header{Name: strings.TrimSpace(names[i])}
		if i < len(contents) {
			h.Value = contents[i]
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

// readPatterns returns the patterns of a form, each once. It stops at one more than a webhook may
// have: that is refused, and a form has room for very many.
func readPatterns(values url.Values) []string {
	lines := strings.FieldsFunc(values.Get("patterns"), func(c rune) bool {
		return c == '\n' || c == '\r' || c == ','
	})
	var patterns []string
	seen := make(map[string]bool)
	for _, all := range [][]string{values["type"], lines} {
		for _, p := range all {
			if len(patterns) > dispatcher.MaxEvents {
				return patterns
			}
			if p = strings.TrimSpace(p); p != "" && !seen[p] {
				seen[p] = true
				patterns = append(patterns, p)
			}
		}
	}
	return patterns
}

// HeadersFor returns the headers of the form for a webhook that has this URL and these headers. It
// fails, by an error in the form, if one has no value and is not stored under its name: nobody can
// see that the value of another name would go along, or that an empty one is sent. If the form has
// another server, each value is asked for: anybody who may edit would otherwise get the stored ones
// by a test to a server of their own.
func (f *Webhook) HeadersFor(address string, has map[string]string) map[string]string {
	moved := server(address) != server(f.URL)
	out := make(map[string]string)
	for _, h := range f.Headers {
		if _, twice := out[h.Name]; twice {
			f.Errors["headers"] = "The header " + text.Line(h.Name) + " is there twice. Keep one."
		}
		value := h.Value
		if value == "" {
			kept, ok := has[h.Stored]
			if h.Stored != h.Name || !ok {
				f.Errors["headers"] = "Give " + text.Line(h.Name) + " its value again."
				continue
			}
			if moved {
				f.Errors["headers"] = "Give " + text.Line(h.Name) +
					" its value again: the address has changed."
				continue
			}
			value = kept
		}
		out[h.Name] = value
	}
	return out
}

// server returns the scheme, host and port of a URL; the URL itself if it can't be read.
func server(raw string) string {
	u, err := url.Parse(raw)
	if err != nil {
		return raw
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"https": "443", "http": "80"}[u.Scheme]
	}
	return u.Scheme + "://" + strings.ToLower(u.Hostname()) + ":" + port
}

// AddError puts an error beside its field, if it is one of the form's; ok is false if it is not.
func (f *Webhook) AddError(err error) (ok bool) {
	invalid := (*events.InvalidError)(nil)
	if !errors.As(err, &invalid) {
		return false
	}
	subject := map[string]string{
		"url": "The URL", "name": "The name", "events": "The list of types",
		"headers": "The list of headers", "tenant": "The tenant", "filter": "The filter",
		"fields":      "The list of fields",
		"description": "The description", "metadata": "The list of labels",
		"rate": "The rate", "timeout_seconds": "The timeout",
	}[invalid.Field]
	field := invalid.Field
	if subject == "" {
		field, subject = "", show.Capital(invalid.Field)
	}
	f.Errors[field] = text.Line(subject + " " + invalid.Reason + ".")
	return true
}

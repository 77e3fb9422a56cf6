package httpapi

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/outhook/outhook/events"
)

// template is the OpenAPI 3.1 description of the endpoints and of deliveries, of a host that says
// nothing of itself. It is written by hand; tests hold every request and response of this package's
// tests to it.
//
//go:embed openapi.json
var template []byte

// DefaultTitle is the title of the description of a host that gives none.
const DefaultTitle = "Webhooks"

// Description is what the OpenAPI description says of a host, beside the event types that its
// Dispatcher declares. The zero value is a host that says nothing.
type Description struct {
	// Title is the name of the API. If empty, DefaultTitle.
	Title string

	// Security are the ways in which the Authorizer knows a client, any one of which is enough:
	// Security Scheme Objects of OpenAPI 3.1 by a name of A-Z, a-z, 0-9, ".", "_" and "-", such as
	// "bearer": {"type":"http","scheme":"bearer"}. If empty, the description names none.
	Security map[string]json.RawMessage
}

// The names that OpenAPI 3.1 has for components, and the types of a security scheme.
var (
	componentName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	schemeTypes   = []string{"apiKey", "http", "mutualTLS", "oauth2", "openIdConnect"}
)

// validate checks what would make the description one that tools can't read.
func (d *Description) validate() error {
	for _, name := range slices.Sorted(maps.Keys(d.Security)) {
		var scheme struct{ Type string }
		reason := ""
		switch {
		case !componentName.MatchString(name):
			reason = `has a name with a character other than A-Z, a-z, 0-9, ".", "_" and "-"; rename it`
		case json.Unmarshal(d.Security[name], &scheme) != nil:
			reason = `is not a JSON object; give one such as {"type":"http","scheme":"bearer"}`
		case !slices.Contains(schemeTypes, scheme.Type):
			reason = fmt.Sprintf("has the type %q; give one of %q", scheme.Type, schemeTypes)
		}
		if reason != "" {
			return &events.InvalidError{
				Field: fmt.Sprintf("Description.Security[%q]", name), Reason: reason,
			}
		}
	}
	return nil
}

// document is an OpenAPI description, as far as it is filled in for a host. Its fields are in the
// order in which they are written.
type document struct {
	OpenAPI    string            `json:"openapi"`
	Info       info              `json:"info"`
	Servers    []serverURL       `json:"servers"`
	Security   []requirement     `json:"security"` // any one of them; none: nothing is said
	Tags       json.RawMessage   `json:"tags"`
	Paths      json.RawMessage   `json:"paths"`
	Webhooks   map[string]hook   `json:"webhooks"`
	Components componentsOfAHost `json:"components"`
}

type info struct {
	Title       string          `json:"title"`
	Version     string          `json:"version"`
	Summary     string          `json:"summary"`
	License     json.RawMessage `json:"license"`
	Description string          `json:"description"`
}

type serverURL struct {
	URL string `json:"url"`
}

// requirement names a security scheme, with no scopes.
type requirement map[string][]string

type componentsOfAHost struct {
	SecuritySchemes map[string]json.RawMessage `json:"securitySchemes,omitempty"`
	Schemas         map[string]json.RawMessage `json:"schemas"`
	Responses       json.RawMessage            `json:"responses"`
	Parameters      json.RawMessage            `json:"parameters"`
}

// describe returns the description of a host that declares these types. Its error is an
// *events.InvalidError of "d".
func describe(o *Options, types []events.Type) (json.RawMessage, error) {
	var doc document
	if err := json.Unmarshal(template, &doc); err != nil {
		panic("httpapi: openapi.json can't be read: " + err.Error())
	}
	doc.Info.Title = o.Description.Title
	if o.Prefix != "" {
		doc.Servers = []serverURL{{o.Prefix}}
	}
	if len(o.Description.Security) > 0 {
		doc.Components.SecuritySchemes = o.Description.Security
		for _, name := range slices.Sorted(maps.Keys(o.Description.Security)) {
			doc.Security = append(doc.Security, requirement{name: {}})
		}
	}
	if len(types) > 0 {
		if err := doc.declare(types); err != nil {
			return nil, err
		}
	}
	var out bytes.Buffer
	encode(&out, &doc)
	return out.Bytes(), nil
}

// openapi returns the description, which is the same for every tenant.
func (a *api) openapi(context.Context, string, *fields) (any, error) {
	return a.description, nil
}

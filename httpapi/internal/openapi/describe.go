package openapi

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/internal/wire"
)

// template is the description of a host that says nothing of itself.
//
//go:embed openapi.json
var template []byte

// operatorPatch is what an operator may send and gets beside that: a merge patch (RFC 7396) of the
// template.
//
//go:embed operator.json
var operatorPatch []byte

// Host is what a host says of itself.
type Host struct {
	Title  string // of the API
	Prefix string // before the names of the endpoints; may be empty

	// Operator says that the description is for the operator of the host.
	Operator bool

	// Security are Security Scheme Objects by name; none: the description names none.
	Security map[string]json.RawMessage
}

// The names that OpenAPI 3.1 has for components, and the types of a security scheme.
var (
	componentName = regexp.MustCompile(`^[A-Za-z0-9._-]+$`)
	schemeTypes   = []string{"apiKey", "http", "mutualTLS", "oauth2", "openIdConnect"}
)

// CheckSecurity checks what would make the description one that tools can't read. An error is an
// *events.InvalidError of "Description.Security".
func CheckSecurity(schemes map[string]json.RawMessage) error {
	for _, name := range slices.Sorted(maps.Keys(schemes)) {
		var scheme struct{ Type string }
		reason := ""
		switch {
		case !componentName.MatchString(name):
			reason = `has a name with a character other than A-Z, a-z, 0-9, ".", "_" and "-"; rename it`
		case json.Unmarshal(schemes[name], &scheme) != nil:
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

// Describe returns the OpenAPI description of a host that declares these types, or none if they are
// nil. Its error is an *events.InvalidError of "d".
func Describe(h *Host, types []events.Type) (json.RawMessage, error) {
	doc, err := newDocument(h, types)
	if err != nil {
		return nil, err
	}
	return encode(doc), nil
}

func encode(doc any) json.RawMessage {
	var out bytes.Buffer
	wire.Encode(&out, doc)
	return out.Bytes()
}

// newDocument fills in what is a host's. Its error is that of Describe.
func newDocument(h *Host, types []events.Type) (*document, error) {
	doc := new(document)
	text := template
	if h.Operator {
		text = patched(template, operatorPatch)
	}
	mustUnmarshal(text, doc)
	doc.Info.Title = h.Title
	if h.Prefix != "" {
		doc.Servers = []serverURL{{h.Prefix}}
	}
	if len(h.Security) > 0 {
		doc.Components.SecuritySchemes = h.Security
		for _, name := range slices.Sorted(maps.Keys(h.Security)) {
			doc.Security = append(doc.Security, requirement{name: {}})
		}
	}
	if types != nil {
		if err := doc.declare(types); err != nil {
			return nil, err
		}
	}
	return doc, nil
}

// patched returns JSON with a merge patch applied. Members of objects are then sorted by name.
func patched(text, patch []byte) []byte {
	var v, p any
	mustUnmarshal(text, &v)
	mustUnmarshal(patch, &p)
	out, err := json.Marshal(merge(v, p))
	if err != nil {
		panic("openapi: a description can't be marshalled: " + err.Error())
	}
	return out
}

// merge applies a merge patch: objects are merged, null removes, and all else replaces. It changes
// its first argument.
func merge(v, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	object, ok := v.(map[string]any)
	if !ok {
		object = make(map[string]any)
	}
	for name, member := range p {
		if member == nil {
			delete(object, name)
		} else {
			object[name] = merge(object[name], member)
		}
	}
	return object
}

// mustUnmarshal reads JSON of our own.
func mustUnmarshal(text []byte, v any) {
	if err := json.Unmarshal(text, v); err != nil {
		panic("openapi: a description can't be read: " + err.Error())
	}
}

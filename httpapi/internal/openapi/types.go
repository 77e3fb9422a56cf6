package openapi

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
)

// anyEvent is the name in the template of an event of any type.
const anyEvent = "event"

// hook is what a receiver gets of one event type.
type hook struct {
	Post hookOperation `json:"post"`
}

type hookOperation struct {
	OperationID string          `json:"operationId"`
	Tags        []string        `json:"tags"`
	Security    []requirement   `json:"security"`
	Summary     string          `json:"summary"`
	Description string          `json:"description,omitempty"`
	Deprecated  bool            `json:"deprecated,omitempty"`
	Version     string          `json:"x-event-version,omitempty"` // events.Type.Version
	Parameters  json.RawMessage `json:"parameters"`
	RequestBody json.RawMessage `json:"requestBody"`
	Responses   json.RawMessage `json:"responses"`
}

// declare puts the types of a host in the place of all that a host could publish.
func (doc *document) declare(types []events.Type) error {
	template := doc.Webhooks
	doc.Webhooks = make(map[string]hook)
	for _, own := range []string{dispatcher.TypePing, dispatcher.TypeChallenge} {
		doc.Webhooks[own] = template[own]
	}
	described := make(map[string]events.Type)
	for _, t := range append(events.Airy(), events.OperationalTypes()...) {
		described[t.Name] = t
	}
	for _, t := range types {
		if known, ok := described[t.Name]; ok && bytes.Equal(known.Schema, t.Schema) {
			of := template[t.Name]
			if t.Description != "" {
				of.Post.Summary = t.Description
			}
			of.Post.mark(&t)
			doc.Webhooks[t.Name] = of
			continue
		}
		of := template[anyEvent]
		of.Post.OperationID = "receive." + t.Name
		of.Post.Summary = t.Description
		if of.Post.Summary == "" {
			of.Post.Summary = "An event of the type " + t.Name + "."
		}
		of.Post.mark(&t)
		payload, err := doc.addSchema(&t)
		if err != nil {
			return err
		}
		of.Post.RequestBody = requestBody(&t, payload)
		doc.Webhooks[t.Name] = of
	}
	doc.prune()
	return nil
}

// mark says which version a type has and whether it is deprecated.
func (o *hookOperation) mark(t *events.Type) {
	o.Version = t.Version
	if t.Deprecated != "" {
		o.Deprecated, o.Description = true, "Deprecated: "+t.Deprecated
	}
}

// requestBody describes the body of a delivery of a type.
func requestBody(t *events.Type, payload any) json.RawMessage {
	type object map[string]any
	content := object{"schema": object{
		"type":     "object",
		"required": []string{"type", "timestamp", "payload"},
		"properties": object{
			"type":      object{"const": t.Name},
			"timestamp": object{"$ref": schemaRef + "timestamp"},
			"payload":   payload,
		},
	}}
	if t.Example != nil {
		content["example"] = object{"type": t.Name, "timestamp": 1603661094560, "payload": t.Example}
	}
	body, err := json.Marshal(object{
		"required": true, "content": object{"application/json": content},
	})
	if err != nil { // can't be: dispatcher.New has checked the example
		panic("openapi: a description can't be marshalled: " + err.Error())
	}
	return body
}

// between are the separators of event types that the name of a component can't have. Each becomes
// dots of a number of its own; a type has one at a time.
var between = strings.NewReplacer("/", "..", ":", "...", " ", "....")

// componentKey returns the name of a component for a type. Those of two types differ.
func componentKey(eventType string) string { return between.Replace(eventType) }

// schemaRef begins a reference to a schema of the description.
const schemaRef = "#/components/schemas/"

// addSchema adds the schema of a type, and what it defines, to the components, and returns what the
// payload refers to. There, references within the schema must name where it now is. An error is an
// *events.InvalidError.
func (doc *document) addSchema(t *events.Type) (payload any, err error) {
	if t.Schema == nil {
		return map[string]string{"description": "any JSON value"}, nil
	}
	dec := json.NewDecoder(bytes.NewReader(t.Schema))
	dec.UseNumber() // a bound of many digits stays what it is
	var schema any
	if err := dec.Decode(&schema); err != nil {
		return nil, invalidSchema(t, "is not JSON")
	}
	name := "payload." + componentKey(t.Name)
	switch root := schema.(type) {
	case bool:
	case map[string]any:
		// The dialect is OpenAPI's own, and an identifier would be a base for references.
		delete(root, "$schema")
		delete(root, "$id")
		if err := doc.addDefinitions(t, name, root); err != nil {
			return nil, err
		}
		relocate(schema, name)
	default:
		return nil, invalidSchema(t, "is neither an object nor true or false")
	}
	doc.setSchema(name, schema)
	return map[string]string{"$ref": schemaRef + name}, nil
}

// addDefinitions moves what a schema defines to the components.
func (doc *document) addDefinitions(t *events.Type, name string, root map[string]any) error {
	defs, _ := root["$defs"].(map[string]any)
	delete(root, "$defs")
	for _, def := range slices.Sorted(maps.Keys(defs)) {
		if !componentName.MatchString(def) {
			return invalidSchema(t,
				fmt.Sprintf("has in $defs the name %q, which OpenAPI does not allow", def))
		}
		relocate(defs[def], name)
		doc.setSchema(name+"."+def, defs[def])
	}
	return nil
}

func invalidSchema(t *events.Type, reason string) error {
	return &events.InvalidError{Field: "d", Reason: "declares the event type " + t.Name +
		" with a Schema that " + reason + "; correct its EventTypes"}
}

func (doc *document) setSchema(name string, schema any) {
	raw, err := json.Marshal(schema)
	if err != nil {
		panic("openapi: a schema can't be marshalled: " + err.Error())
	}
	doc.Components.Schemas[name] = raw
}

// relocate changes references in a schema to itself into references to where it is among the
// components.
func relocate(v any, name string) {
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			relocate(item, name)
		}
	case map[string]any:
		for key, item := range v {
			text, isText := item.(string)
			if key != "$ref" || !isText {
				relocate(item, name)
				continue
			}
			if def, ok := strings.CutPrefix(text, "#/$defs/"); ok {
				v[key] = schemaRef + name + "." + def
			} else if rest, ok := strings.CutPrefix(text, "#"); ok {
				v[key] = schemaRef + name + rest
			}
		}
	}
}

// reference finds the schemas that a piece of a description refers to.
var reference = regexp.MustCompile(`"\$ref":\s*"` + schemaRef + `([A-Za-z0-9._-]+)`)

// prune removes the schemas that nothing refers to any more: those of types that this host does not
// publish.
func (doc *document) prune() {
	roots := [][]byte{doc.Paths, doc.Components.Responses, doc.Components.Parameters}
	for _, h := range doc.Webhooks {
		roots = append(roots, h.Post.RequestBody)
	}
	doc.Components.Schemas = doc.reachable(roots...)
}

// reachable returns the schemas that pieces of the description refer to, and those that these do.
func (doc *document) reachable(roots ...[]byte) map[string]json.RawMessage {
	used := make(map[string]json.RawMessage)
	var follow func(raw []byte)
	follow = func(raw []byte) {
		for _, match := range reference.FindAllSubmatch(raw, -1) {
			name := string(match[1])
			if _, seen := used[name]; !seen {
				used[name] = doc.Components.Schemas[name]
				follow(used[name])
			}
		}
	}
	for _, raw := range roots {
		follow(raw)
	}
	return used
}

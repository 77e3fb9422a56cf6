package openapi

import (
	"encoding/json"
	"maps"
	"slices"

	"github.com/outhook/outhook/events"
)

// asyncDocument is an AsyncAPI 3.0 description of what receivers get: one channel, the URL of a
// webhook, to which the host sends a message for each event.
type asyncDocument struct {
	AsyncAPI    string                    `json:"asyncapi"`
	Info        asyncInfo                 `json:"info"`
	ContentType string                    `json:"defaultContentType"`
	Channels    map[string]asyncChannel   `json:"channels"`
	Operations  map[string]asyncOperation `json:"operations"`
	Components  asyncComponents           `json:"components"`
}

type asyncInfo struct {
	Title       string       `json:"title"`
	Version     string       `json:"version"`
	Description string       `json:"description"`
	License     asyncLicense `json:"license"`
}

type asyncLicense struct {
	Name string `json:"name"`
}

type asyncChannel struct {
	Address     *string             `json:"address"` // null: each webhook has its own
	Title       string              `json:"title"`
	Description string              `json:"description"`
	Messages    map[string]asyncRef `json:"messages"`
}

type asyncRef struct {
	Ref string `json:"$ref"`
}

type asyncOperation struct {
	Action   string          `json:"action"`
	Channel  asyncRef        `json:"channel"`
	Summary  string          `json:"summary"`
	Security []asyncRef      `json:"security"`
	Bindings json.RawMessage `json:"bindings"`
	Messages []asyncRef      `json:"messages"`
}

type asyncMessage struct {
	Name        string          `json:"name"`
	Summary     string          `json:"summary"`
	Description string          `json:"description,omitempty"`
	ContentType string          `json:"contentType"`
	Headers     asyncHeaders    `json:"headers"`
	Payload     json.RawMessage `json:"payload"`
	Examples    []asyncExample  `json:"examples,omitempty"`
	Version     string          `json:"x-event-version,omitempty"`
	Deprecated  bool            `json:"x-deprecated,omitempty"` // AsyncAPI has no field for it
}

type asyncHeaders struct {
	Type       string                     `json:"type"`
	Required   []string                   `json:"required"`
	Properties map[string]json.RawMessage `json:"properties"`
}

type asyncExample struct {
	Payload json.RawMessage `json:"payload"`
}

type asyncComponents struct {
	Messages        map[string]asyncMessage    `json:"messages"`
	Schemas         map[string]json.RawMessage `json:"schemas"`
	SecuritySchemes map[string]asyncScheme     `json:"securitySchemes"`
}

type asyncScheme struct {
	Type        string `json:"type"`
	Name        string `json:"name"`
	In          string `json:"in"`
	Description string `json:"description"`
}

const (
	asyncTitle       = "Webhook"
	asyncDescription = "One POST per event and webhook, again until it is answered with 200, with " +
		"the same body on every attempt. Deliveries can come twice; webhook-id tells them apart. " +
		"A webhook gets the types that it is subscribed to."

	// httpPost is version 0.3.0 of the HTTP binding of an operation.
	httpPost = `{"http":{"method":"POST","bindingVersion":"0.3.0"}}`
)

// DescribeEvents returns the AsyncAPI description of what receivers of a host get, from the same
// source as Describe. Its error is that of Describe.
func DescribeEvents(h *Host, types []events.Type) (json.RawMessage, error) {
	doc, err := newDocument(h, types)
	if err != nil {
		return nil, err
	}
	out := asyncDocument{
		AsyncAPI: "3.0.0", ContentType: "application/json",
		Info: asyncInfo{Title: doc.Info.Title, Version: doc.Info.Version,
			Description: "What the receiver of a webhook gets.", License: asyncLicense{"MIT"}},
		Operations: make(map[string]asyncOperation),
		Components: asyncComponents{Messages: make(map[string]asyncMessage)},
	}
	channel := asyncChannel{Title: asyncTitle, Description: asyncDescription,
		Messages: make(map[string]asyncRef)}
	headers, schemes := doc.asyncHeaders()
	out.Components.SecuritySchemes = schemes
	var security []asyncRef
	for _, name := range slices.Sorted(maps.Keys(schemes)) {
		security = append(security, asyncRef{"#/components/securitySchemes/" + name})
	}
	var roots [][]byte
	for name, hook := range doc.Webhooks {
		key := componentKey(name)
		message := newAsyncMessage(name, &hook.Post)
		message.Headers = headers
		roots = append(roots, message.Payload)
		out.Components.Messages[key] = message
		channel.Messages[key] = asyncRef{"#/components/messages/" + key}
		out.Operations["send."+key] = asyncOperation{
			Action: "send", Channel: asyncRef{"#/channels/webhook"}, Summary: message.Summary,
			Security: security, Bindings: json.RawMessage(httpPost),
			Messages: []asyncRef{{"#/channels/webhook/messages/" + key}},
		}
	}
	out.Channels = map[string]asyncChannel{"webhook": channel}
	out.Components.Schemas = doc.reachable(roots...)
	return encode(&out), nil
}

// newAsyncMessage returns the message of a type, from what OpenAPI says of its request.
func newAsyncMessage(name string, o *hookOperation) asyncMessage {
	var body struct {
		Content map[string]struct{ Schema, Example json.RawMessage }
	}
	mustUnmarshal(o.RequestBody, &body)
	content := body.Content["application/json"]
	m := asyncMessage{
		Name: name, Summary: o.Summary, Description: o.Description, ContentType: "application/json",
		Payload: content.Schema, Version: o.Version, Deprecated: o.Deprecated,
	}
	if content.Example != nil {
		m.Examples = []asyncExample{{content.Example}}
	}
	return m
}

// asyncHeaders returns the headers that all messages have, from the parameters of OpenAPI, and
// those of them by which a receiver knows the sender.
func (doc *document) asyncHeaders() (asyncHeaders, map[string]asyncScheme) {
	var parameters map[string]struct {
		Name        string
		Required    bool
		Description string
		Schema      map[string]json.RawMessage
	}
	mustUnmarshal(doc.Components.Parameters, &parameters)
	headers := asyncHeaders{Type: "object", Properties: make(map[string]json.RawMessage)}
	schemes := make(map[string]asyncScheme)
	for _, key := range slices.Sorted(maps.Keys(parameters)) {
		p := parameters[key]
		p.Schema["description"] = encode(p.Description)
		headers.Properties[p.Name] = encode(p.Schema)
		if p.Required {
			headers.Required = append(headers.Required, p.Name)
		}
		if key == "signature" || key == "airySignature" {
			schemes[key] = asyncScheme{Type: "httpApiKey", Name: p.Name, In: "header",
				Description: p.Description}
		}
	}
	return headers, schemes
}

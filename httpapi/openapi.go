package httpapi

import (
	"context"
	_ "embed"
	"encoding/json"
	"strings"
)

// description is the OpenAPI 3.1 description of the endpoints and of deliveries, for a host without
// a Prefix.
//
//go:embed openapi.json
var description string

// server is the URL of the endpoints in the description, where it occurs once.
const server = `"url": "/"`

// describe returns the description for endpoints under a prefix.
func describe(prefix string) json.RawMessage {
	if prefix == "" {
		return json.RawMessage(description)
	}
	url, err := json.Marshal(prefix)
	if err != nil {
		panic("httpapi: a string can't be marshalled: " + err.Error())
	}
	return json.RawMessage(strings.Replace(description, server, `"url": `+string(url), 1))
}

// openapi returns the description, which is the same for every tenant.
func (a *api) openapi(context.Context, string, *fields) (any, error) {
	return describe(a.o.Prefix), nil
}

package httpapi

import (
	"context"
	_ "embed"
	"encoding/json"
	"strings"
)

// description is the OpenAPI 3.1 description of the endpoints and of deliveries, for a host without
// a Prefix. It is written by hand; tests hold every request and response of this package's tests to
// it.
//
//go:embed openapi.json
var description string

// server is the URL of the endpoints in the description, where it occurs once.
const server = `"url": "/"`

// describe returns the description for endpoints under a prefix. Only the URL of the server
// differs.
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

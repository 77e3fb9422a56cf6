// Package openapi makes the descriptions that package httpapi serves: OpenAPI 3.1 of the endpoints
// and of what receivers get, and AsyncAPI 3.0 of the latter, made of the same parts
// (DescribeEvents).
//
//	openapi.json ──▶ Describe ──▶ the description of this host
//	by hand             ▲
//	                    ├── Host: title, prefix, how clients authenticate
//	                    ├── operator.json, where it is for the operator: fields that no tenant sees
//	                    └── the event types that the Dispatcher declares, with their schemas
//
// openapi.json describes the endpoints and what receivers get, of a host that says nothing of
// itself. It is written by hand: descriptions, examples and bounds are most of it, and types of Go
// know nothing of those. That it does not go its own way is the module openapitest's: every request
// and response of the tests of httpapi must be as it says, and every pattern and format in it must
// take what the endpoints take.
//
// A host that declares its event types gets an entry under webhooks for each, in place of those of
// the template. A schema moves to the components, where its references to itself must lead to where
// it now is; what then nothing refers to is removed, so that clients that are generated have no
// types of events that this host does not send.
package openapi

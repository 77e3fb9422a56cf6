package httpapi

import (
	"context"
	"encoding/json"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/internal/ask"
	"github.com/outhook/outhook/httpapi/internal/openapi"
)

// api has what the endpoints share. It is immutable, so requests need no lock of this package.
//
// A request goes this way. Each step may end it with a refusal, or with an *events.InvalidError,
// which is a 400:
//
//	limitBody     body.go    how long the body may take
//	checkMethod   serve.go   405
//	auth          the host's 401 or 403 (access.go); from here on there is an Access
//	checkReady    serve.go   409
//	readFields    body.go    415, 413, 408; then strict JSON and known names (package ask)
//	endpoint.run  webhooks.go, list.go, deliveries.go: the fields become arguments (package ask),
//	              access.go asks whether the webhook is the tenant's, and the Dispatcher is called;
//	              what it returns becomes a response (package wire)
//	write         answer.go  200; writeStream (stream.go) what may be large; writeFailure the others
//
// Nothing is kept between two requests. Whether something is the tenant's is decided in access.go,
// in change for what is written, and by the Tenant of a query for what is listed.
//
// An endpoint is an entry in endpoints.go, a method of api, and a type in package wire for its
// response; openapi.json, the package comment and docs/http.md describe it. The module openapitest
// holds the description to what the tests send and get. What of it is the host's, such as the event
// types, is filled in by package openapi.
type api struct {
	d    *dispatcher.Dispatcher
	auth Authorizer
	o    Options

	deprecated []events.Type // of the catalogue

	// See package openapi. Those of a tenant from which a type is hidden are made when it asks.
	hostInfo                                            openapi.Host
	description, operatorDescription, eventsDescription json.RawMessage
}

// newAPI checks what Mount and Handler are given. Its error is an *events.InvalidError.
func newAPI(d *dispatcher.Dispatcher, auth Authorizer, o *Options) (*api, error) {
	switch {
	case d == nil:
		return nil, &events.InvalidError{Field: "d", Reason: "is nil; give the dispatcher that delivers"}
	case auth == nil:
		return nil, &events.InvalidError{Field: "auth",
			Reason: "is nil; give an Authorizer, or NoAuth if the host itself authorizes requests"}
	}
	a := &api{d: d, auth: auth, o: o.withDefaults()}
	if err := a.o.validate(); err != nil {
		return nil, err
	}
	a.hostInfo = openapi.Host{Title: a.o.Description.Title, Prefix: a.o.Prefix,
		Security: a.o.Description.Security}
	types := d.EventTypes()
	for _, t := range types {
		if t.Deprecated != "" {
			a.deprecated = append(a.deprecated, t)
		}
	}
	var err error
	if a.description, err = openapi.Describe(&a.hostInfo, types); err != nil {
		return nil, err
	}
	if a.eventsDescription, err = openapi.DescribeEvents(&a.hostInfo, types); err != nil {
		return nil, err
	}
	operator := a.hostInfo
	operator.Operator = true
	a.operatorDescription, err = openapi.Describe(&operator, types)
	return a, err
}

// path returns the path of an endpoint.
func (a *api) path(e *endpoint) string { return a.o.Prefix + "/webhooks." + e.name }

// openapi returns the description, which is the same for every tenant from which no event type is
// hidden. An operator's has more.
func (a *api) openapi(_ context.Context, acc Access, _ *ask.Fields) (any, error) {
	if acc.AnyTenant {
		return a.operatorDescription, nil
	}
	if types, hidden := a.hidden(acc); hidden {
		return openapi.Describe(&a.hostInfo, types)
	}
	return a.description, nil
}

// asyncapi returns the description of what receivers get.
func (a *api) asyncapi(_ context.Context, acc Access, _ *ask.Fields) (any, error) {
	if types, hidden := a.hidden(acc); hidden {
		return openapi.DescribeEvents(&a.hostInfo, types)
	}
	return a.eventsDescription, nil
}

// hidden returns the event types that the sender of a request may know of, and whether they are not
// all.
func (a *api) hidden(acc Access) (types []events.Type, hidden bool) {
	types = a.types(acc)
	return types, len(types) != len(a.d.EventTypes())
}

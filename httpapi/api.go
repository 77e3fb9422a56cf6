package httpapi

import (
	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
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
//	endpoint.run  a method of webhooks, receivers, figures, deliveries or catalogue: the fields
//	              become arguments (package ask), access.go asks whether the webhook is the
//	              tenant's, and the Dispatcher is called; what it returns becomes a response
//	              (package wire)
//	write         answer.go  200; writeStream (stream.go) what may be large; writeFailure the others
//
// Nothing is kept between two requests. Whether something is the tenant's is decided in access.go,
// in change for what is written, and by the Tenant of a query for what is listed.
//
// An endpoint is an entry in endpoints.go, such a method, and a type in package wire for its
// response; openapi.json, the package comment and docs/http.md describe it. The module openapitest
// holds the description to what the tests send and get. What of it is the host's, such as the event
// types, is filled in by package openapi.
type api struct {
	d    *dispatcher.Dispatcher
	auth Authorizer
	o    Options

	catalogue  *catalogue
	deprecated []events.Type // of the catalogue
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
	for _, t := range d.EventTypes() {
		if t.Deprecated != "" {
			a.deprecated = append(a.deprecated, t)
		}
	}
	var err error
	a.catalogue, err = newCatalogue(d, &a.o)
	return a, err
}

// path returns the path of an endpoint.
func (a *api) path(e *endpoint) string { return a.o.Prefix + "/webhooks." + e.name }

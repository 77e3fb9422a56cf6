package httpapi

import (
	"context"
	"encoding/json"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/httpapi/internal/ask"
	"github.com/outhook/outhook/httpapi/internal/openapi"
	"github.com/outhook/outhook/httpapi/internal/wire"
)

// catalogue has the endpoints that describe: the event types, the endpoints, and what receivers
// get. Each tenant is told of the types alone that it may know of.
type catalogue struct {
	d *dispatcher.Dispatcher

	// See package openapi. Those of a tenant from which a type is hidden are made when it asks.
	host                                                openapi.Host
	description, operatorDescription, eventsDescription json.RawMessage
}

// newCatalogue makes the descriptions of a host.
func newCatalogue(d *dispatcher.Dispatcher, o *Options) (*catalogue, error) {
	c := &catalogue{d: d, host: openapi.Host{
		Title: o.Description.Title, Prefix: o.Prefix, Security: o.Description.Security,
	}}
	types := d.EventTypes()
	var err error
	if c.description, err = openapi.Describe(&c.host, types); err != nil {
		return nil, err
	}
	if c.eventsDescription, err = openapi.DescribeEvents(&c.host, types); err != nil {
		return nil, err
	}
	operator := c.host
	operator.Operator = true
	c.operatorDescription, err = openapi.Describe(&operator, types)
	return c, err
}

// openapi returns the description, which is the same for every tenant from which no event type is
// hidden. An operator's has more.
func (c *catalogue) openapi(_ context.Context, acc Access, _ *ask.Fields) (any, error) {
	if acc.AnyTenant {
		return c.operatorDescription, nil
	}
	if types, hidden := c.hidden(acc); hidden {
		return openapi.Describe(&c.host, types)
	}
	return c.description, nil
}

// asyncapi returns the description of what receivers get.
func (c *catalogue) asyncapi(_ context.Context, acc Access, _ *ask.Fields) (any, error) {
	if types, hidden := c.hidden(acc); hidden {
		return openapi.DescribeEvents(&c.host, types)
	}
	return c.eventsDescription, nil
}

// hidden returns the event types that the sender of a request may know of, and whether they are not
// all.
func (c *catalogue) hidden(acc Access) (types []events.Type, hidden bool) {
	types = c.types(acc)
	return types, len(types) != len(c.d.EventTypes())
}

// events lists the event types that the host declares, less those that are hidden from the tenant.
// The list is empty if there are none.
func (c *catalogue) events(_ context.Context, acc Access, _ *ask.Fields) (any, error) {
	return wire.NewCatalogue(c.types(acc)), nil
}

// types returns the event types that the sender of a request may know of; nil if the host declares
// none.
func (c *catalogue) types(acc Access) []events.Type {
	if acc.AnyTenant {
		return c.d.EventTypes()
	}
	return c.d.EventTypesFor(acc.Tenant)
}

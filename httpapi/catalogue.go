package httpapi

import "context"

// events lists the event types that the host declares.
func (a *api) events(context.Context, string, *fields) (any, error) {
	return newCatalogue(a.d.EventTypes()), nil
}

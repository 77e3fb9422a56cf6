package httpapi

import "context"

// events lists the event types that the host declares, the same for every tenant. The list is empty
// if it declares none.
func (a *api) events(context.Context, string, *fields) (any, error) {
	return newCatalogue(a.d.EventTypes()), nil
}

package check

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/outhook/outhook/events"
)

// The bounds of an entry of the catalogue.
const (
	MaxTypeVersion = 64   // characters
	MaxDeprecated  = 1024 // characters
)

// Catalogue returns the types that can be subscribed to, of the tenant alone if visible is not nil.
// It is nil if the host has no catalogue, and empty if the tenant may know of no type.
func (r *Rules) Catalogue(visible func(name string) bool) []events.Type {
	if len(r.Declared) == 0 {
		return nil
	}
	types := make([]events.Type, 0, len(r.Declared)+2)
	for _, t := range r.Declared {
		if visible != nil && !visible(t.Name) {
			continue
		}
		t.Schema, t.Example = bytes.Clone(t.Schema), bytes.Clone(t.Example)
		types = append(types, t)
	}
	if r.OperationalEvents {
		types = append(types, events.OperationalTypes()...)
	}
	return types
}

// VisibleTo returns which of the declared types a tenant may know of; nil if it is all of them.
func (r *Rules) VisibleTo(tenant string) func(name string) bool {
	if r.Visible == nil {
		return nil
	}
	return func(name string) bool { return r.Visible(tenant, name) }
}

// known returns the names of the types that a tenant can subscribe to.
func (r *Rules) known(tenant string) []string {
	names := slices.Clone(r.Types)
	if r.Visible != nil {
		names = slices.DeleteFunc(names, func(name string) bool { return !r.Visible(tenant, name) })
	}
	if r.OperationalEvents {
		names = append(names, events.TypeDisabled, events.TypeExhausted)
	}
	return names
}

// Publishable checks events against the options, and returns those whose type is visible to their
// tenant: for the others it does not exist. Its error says which event is wrong.
func (r *Rules) Publishable(evs []events.Event) ([]events.Event, error) {
	hidden := 0
	for i := range evs {
		if err := r.Event(&evs[i]); err != nil {
			return nil, fmt.Errorf("event %d of %d: %w", i+1, len(evs), err)
		}
		if r.hides(&evs[i]) {
			hidden++
		}
	}
	if hidden == 0 {
		return evs, nil // the host's own slice, as nearly always
	}
	shown := make([]events.Event, 0, len(evs)-hidden)
	for i := range evs {
		if !r.hides(&evs[i]) {
			shown = append(shown, evs[i])
		}
	}
	return shown, nil
}

func (r *Rules) hides(e *events.Event) bool {
	return r.Visible != nil && !r.Visible(e.Tenant, e.Type)
}

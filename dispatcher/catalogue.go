package dispatcher

import (
	"bytes"
	"slices"

	"github.com/outhook/outhook/events"
)

// EventTypes returns the catalogue of the types that can be subscribed to: Options.EventTypes and, with
// Options.OperationalEvents, the operational types. None when the host has no catalogue.
func (d *Dispatcher) EventTypes() []events.Type {
	types := slices.Clone(d.o.EventTypes)
	for i := range types {
		types[i].Schema, types[i].Example = bytes.Clone(types[i].Schema), bytes.Clone(types[i].Example)
	}
	if len(types) > 0 && d.o.OperationalEvents {
		types = append(types, events.OperationalTypes()...)
	}
	return types
}

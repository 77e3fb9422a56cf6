package main

import (
	"context"
	"encoding/json"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/jsonschema"
	"github.com/outhook/outhook/store/memstore"
)

func init() {
	parts["jsonschema"] = func(ctx context.Context) error {
		o := *options
		o.EventTypes = []events.Type{{Name: "host.said", Schema: json.RawMessage(`{"type":"string"}`)}}
		o.Schemas = jsonschema.Compiler{}
		d, err := dispatcher.New(memstore.New(), &o)
		if err != nil {
			return err
		}
		return deliver(ctx, d)
	}
}

package main

import (
	"context"

	"go.opentelemetry.io/otel/trace/noop"

	"github.com/outhook/outhook/dispatcher/otelhooks"
	"github.com/outhook/outhook/store/memstore"
)

func init() {
	parts["otelhooks"] = func(ctx context.Context) error {
		o := &otelhooks.Options{TracerProvider: noop.NewTracerProvider()}
		d, err := otelhooks.New(memstore.New(), options, o)
		if err != nil {
			return err
		}
		return deliver(ctx, d)
	}
}

package jsonschema_test

import (
	"context"
	"errors"
	"fmt"
	"log"

	"github.com/outhook/outhook/dispatcher"
	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/jsonschema"
	"github.com/outhook/outhook/store/memstore"
)

// A payload that its type does not allow is refused when it is published.
func Example() {
	d, err := dispatcher.New(memstore.New(), &dispatcher.Options{
		EventTypes: []events.Type{{
			Name:   "order.created",
			Schema: []byte(`{"type": "object", "required": ["item"]}`),
		}},
		Schemas: jsonschema.Compiler{},
	})
	if err != nil {
		log.Fatal(err)
	}
	for _, field := range []string{"item", "itme"} {
		e, err := events.New("order.created", map[string]string{field: "tea"})
		if err != nil {
			log.Fatal(err)
		}
		var invalid *events.InvalidError
		if err := d.Publish(context.Background(), e); errors.As(err, &invalid) {
			fmt.Println(invalid)
		} else {
			fmt.Println(err)
		}
	}
	// Output:
	// <nil>
	// payload does not match the schema of order.created: #/required wants "item"
}

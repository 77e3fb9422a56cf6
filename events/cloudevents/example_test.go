package cloudevents_test

import (
	"encoding/json"
	"fmt"
	"time"

	"github.com/outhook/outhook/events"
	"github.com/outhook/outhook/events/cloudevents"
)

// One event in both modes.
func ExampleFormat_Encode() {
	e := events.Event{
		ID: "evt_1", Type: "order.paid", Key: "order 7", Time: time.UnixMilli(1700000000000),
		Payload: json.RawMessage(`{"total":1.50}`),
	}
	f := cloudevents.Format{Mode: cloudevents.Structured, Source: "https://shop.example/",
		Extensions: map[string]string{"tenant": "acme"}}
	m := f.Encode(&e, "https://shop.example/paid.json")
	fmt.Println(m.ContentType)
	fmt.Printf("%s\n\n", m.Body)

	f.Mode = cloudevents.Binary
	m = f.Encode(&e, "")
	fmt.Println(m.ContentType)
	for _, name := range []string{"id", "source", "type", "time", "subject", "tenant"} {
		fmt.Printf("ce-%s: %s\n", name, m.Header.Get("ce-"+name))
	}
	fmt.Printf("%s\n", m.Body)
	// Output:
	// application/cloudevents+json; charset=utf-8
	// {"specversion":"1.0","id":"evt_1","source":"https://shop.example/","type":"order.paid","time":"2023-11-14T22:13:20.000Z","subject":"order 7","dataschema":"https://shop.example/paid.json","tenant":"acme","datacontenttype":"application/json","data":{"total":1.50}}
	//
	// application/json
	// ce-id: evt_1
	// ce-source: https://shop.example/
	// ce-type: order.paid
	// ce-time: 2023-11-14T22:13:20.000Z
	// ce-subject: order%207
	// ce-tenant: acme
	// {"total":1.50}
}

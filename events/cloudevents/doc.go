// Package cloudevents writes events as CloudEvents 1.0.2, in the two modes of its HTTP binding, so
// that receivers can read deliveries with a CloudEvents SDK. A host chooses them for each
// subscription by Options.CloudEvents of package dispatcher:
//
//	o := &dispatcher.Options{CloudEvents: func(sub store.Subscription) cloudevents.Format {
//		return cloudevents.Format{
//			Mode:       cloudevents.Structured,
//			Source:     "https://shop.example/" + url.PathEscape(sub.Tenant),
//			Extensions: map[string]string{"tenant": sub.Tenant},
//		}
//	}}
//
// The attributes of an event are:
//
//	id               its ID, which is also webhook-id
//	source           Format.Source
//	type             its Type
//	time             its Time, in UTC with milliseconds
//	subject          its Key; left out where there is none
//	datacontenttype  application/json, in structured mode; in binary mode Content-Type
//	dataschema       the $id of its type's Schema in the catalogue, where that is an absolute URI
//	extensions       Format.Extensions
//	data             its Payload, as it is in a delivery that is no CloudEvent
//
// In binary mode the values of headers are percent-encoded where HTTP or the binding demand it.
// Some SDKs, that of Go among them, return them as they stand: a source, type, subject or extension
// of printable ASCII without blanks, double quotes and percent signs is the same in both modes.
//
// A CloudEvent is identified by source and id together. IDs of two tenants may be the same where
// the host chooses them, so a host with tenants has a Source for each, or gives a receiver the
// events of one tenant alone.
//
// Sources: CloudEvents 1.0.2 (cloudevents/spec.md), its JSON format (formats/json-format.md) and
// its HTTP protocol binding (bindings/http-protocol-binding.md). All functions may be called from
// any number of goroutines.
package cloudevents

// Package jsonschema checks the payloads of events by the JSON Schemas of their types, as they are
// published. It is a module of its own, so that a host without it downloads no validator:
//
//	d, err := dispatcher.New(store, &dispatcher.Options{
//		EventTypes: types, // each may have a Schema, and an Example
//		Schemas:    jsonschema.Compiler{},
//	})
//
// New then refuses a Schema that is none, and an Example that does not match its Schema. Publish
// and PublishTx return an *events.InvalidError for a payload that does not match. A payload is
// parsed for it, which takes some microseconds for each kilobyte.
//
// Schemas are of draft 2020-12, unless their $schema names another one. They can refer to their own
// parts, and to the drafts' meta-schemas, and to nothing else: no file is read, and nothing is
// fetched. The validator is github.com/santhosh-tekuri/jsonschema.
package jsonschema

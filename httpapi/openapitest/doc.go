// Package openapitest holds the endpoints of package httpapi to the OpenAPI description that they
// serve. It has nothing but tests, in a module of its own, so that nobody who uses the endpoints
// downloads a library that reads such descriptions.
//
// It runs the tests of package httpapi with every request and response recorded, and checks each
// against the description. Every response must be described. Every request that is taken must be
// valid by the description, and one that is refused for its fields must not. Deliveries are checked
// against the description's webhooks as a receiver gets them.
//
// Others read the description too: Redocly's recommended rules must find nothing in it, and a
// client in TypeScript that is generated from it must compile and work. That needs node and npm,
// which installs the tools of testdata/client; where they are missing the test is skipped, and
// fails with OUTHOOK_CI=1.
package openapitest

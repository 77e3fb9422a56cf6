// Package interop has real receivers verify real deliveries with the Standard Webhooks libraries of
// Go and Node, with keys of every form, as docs/signatures.md says that they can be verified. It
// has nothing but tests, in a module of its own.
//
// The Node library is installed into a temporary folder with npm. Without node or npm its
// test says so and is skipped, and fails in CI.
package interop

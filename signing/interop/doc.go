// Package interop has real receivers verify real deliveries, as docs/signatures.md says that they
// can be verified: with the Standard Webhooks libraries of Go and Node and keys of every form, and,
// as those that are released have no v1a, Ed25519 signatures with the cryptography of Node
// (OpenSSL) and Python (the library cryptography). It has nothing but tests, in a module of its
// own.
//
// The Node library is installed into a temporary folder with npm. Without node or npm, or without
// Python's library, their tests say so and are skipped, and fail in CI.
package interop

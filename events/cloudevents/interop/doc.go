// Package interop has the Go SDK of CloudEvents receive real deliveries in both modes of the HTTP
// binding, and compares what it reads with what was published. It has nothing but tests, in a
// module of its own.
package interop

// Package order says where deliveries stand among those of their subscription, and keeps parts of
// that order in memory.
//
// A [Position] is where one stands: first attempts by their event, retries by when they are due.
// There are several orders of a subscription, one for each [Source]; a store keeps each in full. A
// [Window] is the part of one that memory has. It is what package schedule claims from.
//
// All of it is pure: no I/O, no lock, no clock. It is not safe for concurrent use.
package order

// Package interop has deliveries carry tokens of an OAuth 2.0 authorization server that somebody
// else has written, to an endpoint that asks that server about each. It has nothing but tests, in a
// module of its own.
package interop

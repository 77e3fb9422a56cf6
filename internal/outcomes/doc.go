// Package outcomes has the situations that the scheduler and the dispatcher must come out of well,
// P1 to P9 and P12, each with what is measured and the bound that it must keep:
//
//	P1   a tenant whose webhooks answer slowly, beside a quick one
//	P2   a tenant with very many flooded webhooks, beside one with a single webhook
//	P3   an endpoint that refuses one type of event, and then gets others
//	P4   one that refuses a fifth of its events
//	P5   one that is down for minutes to days
//	P6   an outage of the host's own network
//	P7   one that takes one request a second, and has a backlog
//	P8   the same, with random arrivals at half that rate
//	P9   a replay over many steps
//	P12  a Transform that fails for one type
//
// Each runs in fake time, with a real dispatcher and endpoints that are a RoundTripper, over any
// store that waits for no server. P1, P2, P9 and P12 take minutes at most, and also run in real
// time: so on PostgreSQL, and on a file for what fake time cannot show, how long the machine takes.
//
// The tests of this package run the short form on the stores of this module, in seconds, and those
// of pgstore in real time. go run ./internal/bench -only P, at the top of the repository, runs all
// of it on all stores and prints a table.
package outcomes

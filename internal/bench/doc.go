// Bench measures outhook on the machine it runs on, and says what holds it: run it with
//
//	go run ./internal/bench
//
// at the top of the repository. It prints a table of targets with what was reached beside each. The
// targets named N take about ten minutes, those named P about half an hour.
//
// # What is measured
//
// Every figure but the latencies is a ratio of two measurements that were made back to back in one
// run, because a machine's speed drifts; each is the median of five rounds. The ceiling, called
// raw, is a plain net/http client: 64 workers on kept connections that post requests of the same
// size and headers, signed with the same HMACs, and do nothing else. The receiver, a net/http
// server in a process of its own on the same machine, is the same for both. Events have payloads of
// 512 bytes, the store syncs every commit, and history is kept: nothing is switched off.
//
// # What is checked
//
// The receiver counts each event for each subscription, and the run fails when one is missing,
// doubled, or was never sent. One signature in 64 is verified. With -short that is all: the works
// are small and no time is judged, for continuous integration.
//
// # What it runs
//
// The targets N1 to N11 and N16 to N18 of docs/performance.md; the scenarios P1 to P9 and P12 of
// package outcomes, in fake time on a memstore and a boltstore, and those that take minutes at most
// in real time too, on a boltstore and on PostgreSQL; and of package realservers real servers that
// close connections (P10) and hostile HTTP/2 endpoints (P11). Where a million deliveries over HTTP
// would take too long it drives the store directly, and the table says so. -only picks works by
// name, and all of a letter: -only P; -profile writes the profiles of each.
//
// With -draw it measures what the pictures of docs/pictures show, in two to three minutes, and
// draws them: where the time of one event goes, how long events take until they arrive, and what a
// store does as more is in it. -only event,latency,growth picks some.
package main

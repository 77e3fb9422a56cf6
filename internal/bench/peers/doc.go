// Command peers does the same work by outhook and by what else a Go program may use for it, in one
// run: events are published durably, each is delivered by a signed POST to a receiver in a process
// of its own, and acknowledged. In this folder:
//
//	go run .                     all, in a quarter of an hour; writes docs/peers.md and peers.svg
//	go run . -short              seconds: small works, nothing lost, no time judged, nothing written
//	go run . -only river,bolt    only some, and nothing written; -list names them
//	go run . -rounds 3 -for 2s   fewer and shorter rounds
//	go run . -note "..."         a sentence about the machine, for the page
//	go run . -draw               writes the page and the picture anew, from measured.json
//
// It needs PostgreSQL and redis-server as Debian packages them, and a C compiler for SQLite; peers
// whose server is not installed are skipped by name. Servers run in temporary folders, on free
// ports of 127.0.0.1, with fsync on. How far it is goes to the standard error.
//
// # What is measured
//
// A round goes through all peers, one after another, each in a process of its own on an empty
// database, between two measurements of raw, a plain net/http client that stores nothing. What
// counts is the ratio to raw, since a machine's speed drifts; the tables have the medians of the
// rounds. The works are:
//
//   - singly: 16 publishers, one event each, until the last has arrived;
//   - batches: 16 publishers, 100 events at a time, where the peer has batches;
//   - steady: so many events a second, and how long each took from publish to arrival.
//
// CPU and memory are of singly: of the sender's process, and of the server's processes beside it.
//
// A work ends when the receiver has got each event and the peer has recorded it as done. One that
// is missing fails the run, as does a bad signature (one in 64 is verified); one that came twice is
// counted.
//
// # What is tuned
//
// All peers post from 64 goroutines on kept connections, and make the same request with the same
// two signatures; watermill has 16 outbox tables with a forwarder each, since a forwarder posts one
// event after another. River has its shortest cooldown and inserts batches by InsertManyFast; asynq
// and watermill look for work each 2 ms; goqite and the bbolt file are woken by their publishers.
// What is done by hand does no more than the work: no subscriptions, no retries, no history, no
// check of addresses.
package main

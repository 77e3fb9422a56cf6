// Command bench compares pgstore with River, a job queue on PostgreSQL, doing the same work on the
// same server: events are published durably and each is delivered by a signed POST to a receiver in
// a process of its own, with the same number of workers and the same connections.
//
//	go run . [-n 20000] [-rounds 3]     both in turn, singly and in batches of 100, and the ratio
//	go run . -steady [-rate 200,800]    both at steady rates: what waits, and how long
//	go run . -pinned -for 10m           the same at 800 and 3,000 events/s, with vacuum held back by
//	                                    three overlapping readers of 120 s, and by one idle
//	                                    transaction; short: -rate 200 -for 20s -reader 6s
//	go run . -pin idle -only outhook    only one way to hold vacuum back, and only one of the two
//	go run . -wal                       what an event and its outcome take of the write-ahead log
//	go run . -replicas                  pgstore with 1, 2 and 3 replicas, each a process
//	go run . -backlog                   the rates with 10,000 and with 1,000,000 pending
//	go run . -lists [-n 100000]         pages of a history of ten deliveries for each event
//
// It starts a PostgreSQL of its own, from the binaries installed on the machine, in a temporary
// folder, as a user without privileges, with fsync on. OUTHOOK_TEST_POSTGRES names another to use.
//
// River is tuned: its shortest FetchCooldown, as many workers as the dispatcher has, InsertManyFast
// for batches, and its batching completer, which is its default. Both have pools of the same size.
// Figures are the medians of rounds that alternate between the two. At a steady rate, one that has
// not delivered everything some minutes after the last event (-catchup) is shown as it is then.
// What takes longer than a few seconds says how far it is, on the standard error.
package main

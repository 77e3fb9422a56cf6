// Package faults shows what becomes of outhook's promises when something breaks: the process, the
// power, the disk.
//
// The tests of this package start a host, that is a process with a dispatcher on a boltstore file,
// as a child, do it harm, and judge it by what reaches the receiver, which is the test itself:
//
//   - Kill: SIGKILL at random moments, and a restart on the same file, again and again.
//   - Kill at a point: SIGKILL at each single system call by which the host writes to its file.
//   - Power: the system calls of a run are recorded and replayed on a model of a disk, which
//     forgets what was not synced, wholly, partly, or in pieces of 512 bytes. Each file that a
//     power cut may leave is opened and searched for everything that was acknowledged.
//   - Disk: system calls that fail with EIO or ENOSPC, and a file system that is full.
//   - Stop: SIGTERM with requests under way.
//
// The rest of the suite stands beside what it attacks: dispatcher/fault_*_test.go and
// store/boltstore/fault_*_test.go.
//
// # What is judged
//
// A host says on its standard output what it is about to publish, and what Publish has said; the
// lines are [Mark]s. A [Ledger] holds them against what arrived. Each event has its content from
// its ID (see [Event]), so the receiver needs no list to know what belongs in a body.
//
//   - Lost: acknowledged, and not delivered in the end to every subscription.
//   - Forged: delivered, but never published, or with another body, or with a signature that does
//     not verify.
//   - Doubled: answered with 200 more than once. After a kill that is allowed and counted; within
//     one life of the host it is not.
//
// # Running it
//
// go test runs a part of it, and with -short less. All of it, in about ten minutes:
//
//	OUTHOOK_LONG=1 go test -v -timeout 3h -run Fault ./internal/faults ./dispatcher ./store/boltstore
//
// go run ./internal/faults/picture kills and cuts the power of some hosts, and draws what it saw.
//
// Tests that need strace are skipped where it is not installed; with OUTHOOK_CI=1 they fail. go run
// ./internal/faults/seeded breaks the code in known ways, one at a time, and shows that the suite
// notices each.
package faults

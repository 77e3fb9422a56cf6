// Package receiver takes the deliveries of a benchmark, in a process of its own, and says whether
// each event came, once, signed, and how long it took.
//
// A benchmark calls [Start], which runs its own program again with [Arg]; its main then calls
// [Serve]. Events carry the payload of [Stamped], by which the receiver knows them. The benchmark
// says what is to come by [Process.Expect], waits for it by [Process.Wait], and has the whole
// judged by [Process.Judge].
package receiver

// Package calls makes the calls of package shards to its stores: at the same time, in goroutines
// that Close waits for, and so that a store which hangs or panics harms nobody else.
//
// # What holds
//
//   - A call that its caller no longer waits for goes on in a goroutine of the [Group]. After
//     [Group.Close] none is started, so nothing of a Store runs on behind its host's back.
//
//   - A panic of a store ends in [Guard], as an error of that store: otherwise it would end the
//     host, whose other stores are well.
//
//   - An error says one of two things ([IsAnswer]): what a store that works answers, which is the
//     caller's affair, or that the store is in trouble.
//
// The package knows the errors of package store and nothing else of it.
package calls

// Package batcher joins the calls of many goroutines into few transactions. It knows neither the
// database nor what the calls are about.
//
// # Problem
//
// A statement for a hundred events costs PostgreSQL little more than one for a single event: most
// of the price is the round trip and the sync of the log. So calls that arrive while a transaction
// is on its way go into the next one together.
//
//	Do ──┐
//	Do ──┼──▶ waiting ──▶ next: as many as fit ──▶ run ──▶ each caller gets its own result
//	Do ──┘       │
//	             └ a context ends, or MaxWait: taken out, never done (NotDone)
//
// A call that arrives alone is run at once. Where a time between runs is given, one that comes soon
// after another's run waits for what is left of it, unless a call is awaited.
//
// # Invariants
//
//   - A call is waiting, under way, or done. Only one that waits can be taken out, so a [NotDone]
//     error means that it has had no effect. Any other error of the context leaves that open.
//   - Calls go in the order of their arrival. A call is never split.
//   - At most one run goes on at a time. It gets no caller's context: it must be bounded by itself.
//   - The mutex is held over no run.
package batcher

// Package page holds the rules of listings: what a cursor is, how many items a page has, and how a
// page and its two cursors are made from the items of a store. All three stores list by it.
//
// # The problem
//
// A caller goes through a listing page by page, forward and back, while records come and go. What
// is there all along must be on exactly one page in each direction. Offsets can't promise that; so
// a cursor names a boundary between two positions, which stays where it is when its neighbors go.
//
// # The picture
//
//	listing      ○ ○ ○ ○ │ ● ● ● │ ○ ○ ○        by falling Seq, then by rising Num
//	                     ▲       ▲
//	Previous = {At, Back}         Next = {At}    at most Limit items lie between them
//
// A store has a [Walk]: it yields the items on one side of a boundary, those next to the boundary
// first. [Walk.Page] takes one page from it, [Walk.Step] one step of a caller that only goes on,
// and [Walk.Count] counts. A store that reads the items by a query instead, as pgstore does, hands
// them to a [Collector], which is the part of the algorithm that reads nothing.
//
// Outside of its store a cursor is sealed, see [Sealer]: a store opens the cursor of a query first,
// and seals those that it returns last. All between the two is in clear.
//
// # Rules
//
//   - A page is read with one item more than its limit, which says whether there is a next page.
//   - Whether there is something on the other side of the boundary is looked up, and not derived
//     from the cursor: it may have been deleted since. Nothing comes before the start, so this
//     look-up is left out there.
//   - Such a look-up may pass over much if few items match: [Walk.Step] leaves it out, because a
//     caller that goes through a listing in steps would read again, at each step, all that the
//     steps before it have passed.
//   - A walk passes over a bounded number of records ([Budget]). When it gives up before it has
//     found enough, the page is shorter than its limit, and its cursor goes on from there
//     ([Collector.Stop]). A look-up that gives up has a cursor too: there may be something.
//   - A count ends at a number of items or with the budget, and is a lower bound then.
//
// The package does no I/O and has no clock. Its values are for one goroutine at a time.
package page

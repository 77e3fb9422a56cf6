// Package listing has the pages of a store's lists: deliveries and subscriptions, walked in both
// directions, each in short transactions, and each within a budget of records that are passed over.
//
// # Problem
//
// A list can be long, and a filter can select little of much. A transaction that stays open keeps
// bbolt from using pages again, and many readers at once take the processors from those who publish
// and deliver. So a walk goes in steps that grow, takes turns with other readers, gives up when its
// budget is used up, and says where it was.
//
//	a page ◀── page.Walk ◀── deliveryWalk ◀── steps of package scan, in turns
//	                              │
//	                   the log, or the streams of the few subscriptions that can have it
//
// # Invariants
//
//   - What memory knows of implicit deliveries is asked for before the transaction that reads the
//     rest: what is not implicit any more when that begins, is in the file.
//   - No caller's function runs in a transaction.
//   - A step comes further than where it began, however slow the disk is.
package listing

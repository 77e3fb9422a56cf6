// Package listing merges what several stores list into one listing, page by page, for package
// shards.
//
// # The problem
//
// Each store has pages and cursors of its own. A cursor is opaque and stands for a boundary that
// the store has chosen, but a page of all stores ends at another place in each of them. And what
// one store has may not be shown before what another one has not looked at yet.
//
// # The picture
//
//	store 0   ○ ○ │ ● ● ○ ○       read: as much as a page can need of each store
//	store 1   ○ ○ ○ │ ● ○ ○       merge: of these, those that come first in the order of all
//	              ▲       ▲       cut: the boundaries before and after what was taken
//	              └ from  └ read again, with so many items as the limit: the page's Next
//
// A [Cursor] holds a boundary for each store. A store has no cursor for the end of its listing, nor
// for the middle of a page that it has returned. The end is remembered as the place where the last
// page before it began; the middle is found by asking for the page again, shorter.
//
// # What holds
//
//   - What is there all along is on exactly one page, forward and back.
//
//   - The order is that of Before; what is equal in it has the order of the stores.
//
//   - A page passes over about as many records as one of a single store ([page.Budget]), however
//     many stores there are: each read has a share. Where a store comes to the end of its share,
//     the page ends, since what others have may come behind what that one has not read. Its
//     boundary moves on all the same, so the pages come to an end.
//
//   - Each store counts once for a page.
//
//   - A failure of one store fails the page: a listing with a hole would look complete.
package listing

// Package importer moves what another store still has to do into PostgreSQL, and copies what it has
// done.
//
//	subscriptions ─▶ order of the events ─▶ all claimable ─▶ claim, store here, end there ─▶ history
//
// # Invariants
//
//   - A delivery is stored here, on disk, before it is ended in the other store; one that is here
//     already is not stored again. So an import that was interrupted is called again, and loses and
//     doubles nothing.
//   - Nothing is stored of a tenant that is closed here.
//   - Events keep their order: their numbers are reserved, oldest first, before the first is
//     stored.
package importer

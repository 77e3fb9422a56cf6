// Package schema is the tables of the store in PostgreSQL: their migrations, the statements over
// them, and the names of what the store has in the database.
//
// Several stores can share a database, each in a schema of its own. The embedded files say
// "outhook." where the name of the schema goes, and everything that is not in a schema (advisory
// locks, the notification channel) has a name that is derived from it.
//
// # Invariants
//
//   - A migration that was released is never edited. Version n is the n-th file.
//   - All migrations of a call are one transaction, and one replica at a time makes them.
//   - A statement is one file, with its reason and its parameters above it.
package schema

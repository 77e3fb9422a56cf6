// Package pgstore is a [store.Store] in PostgreSQL, for a host that runs several replicas: all of
// them publish, serve the API and deliver together, with nothing but the database between them.
//
//	s, err := pgstore.Open(ctx, "postgres://host@db/app", nil) // creates or updates its schema
//	if err != nil { … }
//	defer s.Close()
//	d, err := dispatcher.New(s, nil)
//
// A host with a pool of its own uses New and Migrate. It can publish in its own transactions, so
// that an order and its webhook are committed together or not at all: EnqueueTx, and EnqueueSQLTx
// for database/sql. Import moves a host here from another store.
//
// # What it promises
//
// The contract of package store, on one PostgreSQL server (13 or later) or its failover pair, for
// any number of replicas that come, go, stop and die as they like. All times are the server's.
//
//   - What Enqueue has accepted is on disk, and so is what Finish has recorded.
//   - Subscriptions are dealt to the replicas that claim: each is one replica's at a time, which
//     alone decides what is next of it. So its limits, turns, holds and probes are exact in the
//     whole fleet. The limits over several subscriptions (MaxUnhealthy, MaxFailing) are each
//     replica's own. All replicas should give the same limits.
//   - A change of a subscription, an erasure or a requeue holds for every Claim that begins after
//     it has returned, in whatever replica. What was claimed before may still be attempted.
//   - What a replica has claimed, it has until its lease ends. When a replica dies, another has its
//     subscriptions some four seconds later, and when it is closed at once. A replica that was
//     frozen for longer changes nothing by a late failure, and a late success counts.
//   - A call goes to the server whole, and no lock is held while anything else is waited for: a
//     replica that is stopped in mid-call holds up nobody. Where the network fails within what it
//     sends, the server rolls the transaction back after 5 s without the rest.
//   - No call is without a bound. One that waits returns when its context ends, and one that has
//     begun a transaction a second later at most; without a deadline a transaction has 30 s. What
//     joins others waits for five minutes at most for its turn. Close takes 30 s at most.
//   - What is erased is in no row afterwards. Its bytes stay in the tables' files until VACUUM has
//     been there and the space is used again, and in the write-ahead log and backups for as long as
//     those are kept.
//   - A server's clock that is set back delays by as much what waits for a retry and the end of
//     retention, and one that is set forward makes it due. Neither loses anything, and new events
//     and their deliveries go by the clock as it is.
//
// Replicas wake each other by NOTIFY, each on one connection besides those of the pool; where that
// is lost they poll, once a second by default. Through a pooler in transaction mode, such as
// PgBouncer, set Options.PollOnly, and unless the pooler keeps prepared statements let pgx prepare
// none: default_query_exec_mode=exec in the URL. Every lock is of a transaction.
//
// # Settings of the pool and the database
//
// Each transaction says its isolation level (read committed), its access mode, its timeouts and the
// switches of the planner that it needs, so what the database or user has set for others does no
// harm, nor protects: statement_timeout is 30 s, lock_timeout 10 s,
// idle_in_transaction_session_timeout 5 s.
//
// Of pgx's query exec modes, cache_statement (pgx's own choice) prepares statements on each
// connection; cache_describe, describe_exec and exec all send them unprepared. simple_protocol is
// refused by New: use exec. EnqueueTx and EnqueueSQLTx work in transactions of a pool with any of
// them.
//
// # How it works
//
// An event is written once, with those that get it. A delivery gets a row when something becomes of
// it: its outcome, mostly. One that has none is pending above the low mark of its share, and below
// it is over. A share is a 64th of the subscriptions. Its owner has what is pending of it in memory
// (store/internal/schedule), reads what it claims, and writes outcomes; what stays behind gets
// rows, so memory does not grow with the backlog, and a new owner reads what is above the low mark.
//
// Who writes something for another's share adds a notice, in the same transaction, and the owner
// looks before it hands out claims: no order of commits matters, so a transaction of the host's may
// stay open for long. The transactions of an owner hold a shared advisory lock and check that they
// are still the owner's; a new owner waits for that lock before it reads. Unsubscribing raises a
// number, before which all that is pending is canceled; Prune writes that into the rows. Calls of
// Enqueue and of Finish that come while others are on their way share the next transaction. An
// Enqueue that waits for the lock of an open host transaction has one of its own, so that no other
// publisher waits. docs/decisions/ownership-in-postgresql.md has the reasons.
//
// No statement on that path reads more than it returns by anything but an index; they say so to the
// planner, as statistics lag behind. Stats counts what is pending. What attempts came to
// (store.AttemptStats) is counted in memory and written every ten seconds, by each replica into
// rows of its own: another sees it as late as that.
//
// A transaction that stays open for long anywhere on the server keeps dead rows. Nothing here reads
// past them, but the tables grow.
//
// # What is not portable
//
// SKIP LOCKED, data-modifying WITH, MATERIALIZED, LATERAL and unnest of several arrays are also
// CockroachDB's and YugabyteDB's, or nearly. Not so: advisory locks, LISTEN and NOTIFY (PollOnly
// does without), set_config of planner settings and of synchronous_commit, and the storage
// parameters of the tables. It has been tested on PostgreSQL only.
package pgstore

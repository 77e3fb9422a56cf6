// Package pgstore is a [store.Store] in PostgreSQL, for a host that runs several replicas: all of
// them publish, serve the API and deliver together, with nothing but the database between them.
//
//	s, err := pgstore.Open(ctx, "postgres://host@db/app", nil) // creates or updates its schema
//	if err != nil { … }
//	defer s.Close()
//	d, err := dispatcher.New(s, nil)
//
// A host with a pool of its own uses New and Migrate. It can publish in its own transactions, so
// that an order and its webhook are committed together or not at all: PublishTx of package
// dispatcher takes what [Store.Tx], or for database/sql [Store.SQLTx], returns. Import moves a host
// here from another store.
//
// # What it promises
//
// It keeps the contract of package store on one PostgreSQL server (13 or later) or its failover
// pair, for any number of replicas that come, go, stop and die at any time. All times are the
// server's.
//
//   - What Enqueue has accepted is on disk, and so is what Finish has recorded.
//   - The replicas that deliver divide the subscriptions among them. Each subscription belongs to
//     one replica at a time, which alone decides what is claimed of it next, so the limits and the
//     order of one subscription are exact over all replicas. Limits over several subscriptions
//     (MaxUnhealthy, MaxFailing) are each replica's own. Give all replicas the same options.
//   - A change of a subscription, an erasure or a requeue applies to every Claim, in any replica,
//     that begins after it has returned. What was claimed before may still be attempted.
//   - A delivery that a replica has claimed is that replica's until the lease ends. When a replica
//     dies, another takes over its subscriptions about four seconds later; when it is closed, at
//     once. If a replica was frozen for longer than that, failures that it records late change
//     nothing, and successes count.
//   - A call is sent to the server in one piece, and waits for nothing while it holds a lock, so a
//     replica that is stopped in the middle of a call delays nobody. If the network fails while a
//     call is being sent, the server rolls the transaction back 5 s later.
//   - Every call is bounded. One that waits returns when its context ends, and one that has begun a
//     transaction at most a second later; a transaction has 30 s at most. A call that shares a
//     transaction with others waits for its turn for five minutes at most. Close takes 30 s at
//     most.
//   - What was erased is in no row afterwards. Its bytes stay in the files of the tables until
//     VACUUM has freed the space and it is used again, and in the write-ahead log and backups for
//     as long as those are kept.
//   - If the server's clock is set back, what waits for a retry and the end of retention is late by
//     as much; if it is set forward, that is due earlier. Neither loses anything, and new events
//     and their deliveries follow the clock as it is.
//
// Replicas wake each other by NOTIFY, each on one connection besides those of the pool. If that is
// lost they poll, once a second by default. Through a pooler in transaction mode, such as
// PgBouncer, set Options.PollOnly, and unless the pooler supports prepared statements keep pgx from
// preparing any: default_query_exec_mode=exec in the URL. No lock outlives its transaction.
//
// Several servers together are one Store by package shards, whose Move moves a tenant from one to
// another while all replicas go on. It waits until transactions of the host's that have published
// for the tenant have ended.
//
// # Settings of the pool and the database
//
// Each transaction sets its isolation level (read committed), its access mode, its timeouts and the
// planner switches that it needs. So what the database or the user has set for others neither harms
// nor protects: statement_timeout is 30 s, lock_timeout 10 s, idle_in_transaction_session_timeout
// 5 s.
//
// Of pgx's query exec modes, cache_statement (pgx's own choice) prepares statements on each
// connection; cache_describe, describe_exec and exec all send them unprepared. simple_protocol is
// refused by New: use exec. Tx and SQLTx take transactions of a pool with any of them.
//
// # How it works
//
// An event is written once, with the list of its recipients. A delivery gets a row only when
// something becomes of it, which is mostly its outcome. One without a row is pending if its event
// is above the low mark of its share, and over if it is below. A share is a 64th of the
// subscriptions. Its owner keeps what is pending of it in memory (store/internal/schedule), reads
// what it claims, and writes outcomes. What stays behind gets rows, so memory does not grow with
// the backlog, and a new owner reads what is above the low mark.
//
// A replica that writes something for another's share adds a notice in the same transaction, and
// the owner looks before it hands out claims. The order of commits does not matter, so a
// transaction of the host's may stay open for long. Calls of Enqueue and of Finish that arrive
// while others are on their way share the next transaction; an Enqueue that waits for the lock of
// an open host transaction gets one of its own, so that no other publisher waits. Attempts
// (store.AttemptStats) are counted in memory and written every ten seconds: other replicas see them
// then. docs/decisions/ownership-in-postgresql.md has the reasons and the locks, and
// docs/architecture.md the packages.
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

// Package pgstore is a [store.Store] in PostgreSQL, for a host that runs several replicas: all of them publish, serve the API
// and deliver together, with nothing but the database between them.
//
//	s, err := pgstore.Open(ctx, "postgres://host@db/app", nil) // creates or updates its schema
//	if err != nil { … }
//	defer s.Close()
//	d, err := dispatcher.New(s, nil)
//
// A host with a pool of its own uses New and Migrate. It can publish in its own transactions, so that an order and its
// webhook are committed together or not at all: EnqueueTx, and EnqueueSQLTx for database/sql. Import moves a host here from
// another store.
//
// # What it promises
//
// The contract of package store, on one PostgreSQL server (13 or later) or its failover pair, for any number of replicas
// that come, go, stop and die as they like. All times are the server's.
//
//   - What Enqueue has accepted is on disk, and so is what Finish has recorded. A Claim or Release is not waited for to be: a
//     crash of the server may forget those of its last moments, and repeats attempts that were in flight.
//   - The limits of Claim (PerSubscription, MaxUnhealthy, Failing, BreakerThreshold) hold in all replicas together, because they protect
//     the endpoint, which does not care how many replicas there are. So a dead endpoint gets one probe per interval from all.
//     All replicas should give the same limits. Pauses are one replica's alone.
//   - Turns are taken in all replicas together too: a flooded subscription delays nobody else, whoever claims.
//   - A change of a subscription holds for every Claim that begins after it has returned. What another replica has claimed
//     before may still be attempted.
//   - A replica that dies leaves its leases to run out. One that loses its connection gives back what it may have claimed.
//   - A call goes to the server whole, and no lock is held while anything else is waited for: a replica
//     that is stopped in mid-call holds up nobody. Where the network fails within what it sends, the
//     server rolls the transaction back after 5 s without the rest.
//   - No call is without a bound. One that waits returns when its context ends, and one that has begun a
//     transaction a second later at most; without a deadline a transaction has 30 s, and a wide Enqueue
//     as much again for each 20,000 deliveries. What joins others waits for five minutes at most for
//     its turn. Close takes 30 s at most.
//   - What is erased is in no row afterwards. Its bytes stay in the tables' files until VACUUM has been there and the space is
//     used again, and in the write-ahead log and backups for as long as those are kept.
//   - A server's clock that is set back delays by as much what was waiting (retries, holds, leases of replicas that died, the end
//     of retention), and one that is set forward makes it due. Neither loses anything, and new events and their deliveries
//     go by the clock as it is.
//
// Replicas wake each other by NOTIFY, each on one connection besides those of the pool; where that is lost they poll, once a
// second by default. Through a pooler in transaction mode, such as PgBouncer, set Options.PollOnly, and unless the pooler
// keeps prepared statements let pgx prepare none: default_query_exec_mode=exec in the URL. Every lock is of a transaction.
//
// # Settings of the pool and the database
//
// Each transaction says its isolation level (read committed), its access mode, its timeouts and the
// switches of the planner that it needs, so what the database or user has set for others does no harm,
// nor protects: statement_timeout is 30 s, lock_timeout 10 s, idle_in_transaction_session_timeout 5 s.
//
// Of pgx's query exec modes, cache_statement (pgx's own choice) prepares statements on each connection;
// cache_describe, describe_exec and exec all send them unprepared. simple_protocol is refused by New:
// use exec. EnqueueTx and EnqueueSQLTx work in transactions of a pool with any of them.
//
// # How it works
//
// Pending deliveries are in queue, finished ones in history, bodies once in events. Whoever makes something claimable
// adds a row to signals and touches nothing else, so publishers wait for nobody. One claim at a time, across replicas, holds
// the one row of clerk: it takes in the signals, goes round the subscriptions in turns, and writes leases into slots that
// are used again and again. All of it, with the bodies of what was claimed, is one round trip; so is a batch of outcomes.
// Unsubscribing begins another epoch of the subscription; what is left of the one before is tidied up by Prune. Calls of
// Enqueue and of Finish that come while others are on their way share the next transaction. An Enqueue
// with more than 20,000 deliveries has a transaction of its own, in slices of as many, and one that
// waits for the lock of an open host transaction likewise, so that no other publisher waits for them.
//
// No statement on that path reads more than it returns by anything but an index; they say so to the planner, as
// statistics lag behind a queue. Stats counts, about 0.1 s for a million pending. What attempts came to (store.Window) is
// counted in memory and written every ten seconds, by each replica into rows of its own: another sees it as late as that.
//
// A transaction that stays open for long anywhere on the server keeps dead rows, as for any queue in PostgreSQL.
//
// # What is not portable
//
// SKIP LOCKED, data-modifying WITH, MATERIALIZED, LATERAL and unnest of several arrays are also CockroachDB's and
// YugabyteDB's, or nearly. Not so: advisory locks (Migrate, Prune), LISTEN and NOTIFY (PollOnly does without), set_config of
// planner settings and of synchronous_commit, ctid in the intake of signals, and the storage parameters of the tables. It
// has been tested on PostgreSQL only.
package pgstore

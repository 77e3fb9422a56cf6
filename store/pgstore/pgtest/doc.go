// Package pgtest runs a throwaway PostgreSQL server for tests and benchmarks, from the binaries
// installed on the machine: those of outhook, and those of a host that publishes in its own
// transactions.
//
// The server lives in a folder of its own, listens on a free port of 127.0.0.1 and on no socket,
// trusts all who connect, and syncs what it commits as a real one does. PostgreSQL does not run as
// root; when the caller does, the server runs as the user postgres or nobody.
//
//	srv, err := pgtest.Start(ctx, pgtest.Config{})
//	if errors.Is(err, pgtest.ErrNotInstalled) {
//		t.Skip("there is no PostgreSQL")
//	}
//	defer srv.Remove()
//	pool, err := pgxpool.New(ctx, srv.URL())
//
// It is the newest version that is installed, unless [EnvBin] names another.
//
// Freeze is a server that hangs, until Thaw. Stop with Immediate and Start again is a crash: the
// server recovers from its log, as after a power cut. StartStandby, Kill and Promote are a
// failover.
package pgtest

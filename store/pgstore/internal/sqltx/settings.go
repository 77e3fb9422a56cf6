package sqltx

// limits are the timeouts of each transaction. What the database or the user has set does not
// count:
//
//   - A statement that waits for another's lock fails after 10 s, and any statement after 30 s.
//   - If the client sends no more, the transaction is rolled back after 5 s. If the network is cut
//     and the server has nothing to send, keepalives notice that within 8 s.
//   - If the server has something to send that nobody reads for 10 s, the connection ends.
//
// PostgreSQL 17 bounds the whole transaction too.
const limits = `set_config('statement_timeout', '30s', true), ` +
	`set_config('lock_timeout', '10s', true), ` +
	`set_config('idle_in_transaction_session_timeout', '5s', true), ` +
	`set_config('tcp_keepalives_idle', '5', true), ` +
	`set_config('tcp_keepalives_interval', '1', true), ` +
	`set_config('tcp_keepalives_count', '3', true), set_config('tcp_user_timeout', '10s', true), ` +
	`CASE WHEN current_setting('transaction_timeout', true) IS NOT NULL ` +
	`THEN set_config('transaction_timeout', '35s', true) END`

// Settings of a transaction: the statement that it begins with.
//
// Plans of hot statements must be the same for an empty table and for a million rows, whatever the
// statistics say at the moment. ByIndex forces that: the planner finds rows by indexes alone.
const (
	// Plain is for statements that the planner can be trusted with.
	Plain = `SELECT ` + limits + `, set_config('jit', 'off', true), ` +
		`set_config('enable_nestloop', 'on', true), set_config('enable_indexscan', 'on', true)`

	// ByIndex is for statements that return few rows of large tables.
	ByIndex = Plain + `, set_config('enable_seqscan', 'off', true), ` +
		`set_config('enable_bitmapscan', 'off', true), set_config('enable_mergejoin', 'off', true)`

	// Frequent is ByIndex for statements that run for each batch of deliveries. A server left to
	// itself plans them anew for each execution, as it takes plans for few array elements to be
	// cheaper than one for any number; planning takes several times as long as executing. So they
	// are planned once on each connection, which changes nothing of the plan: see ByIndex.
	Frequent = ByIndex + `, set_config('plan_cache_mode', 'force_generic_plan', true)`

	// Impatient is Frequent for a transaction that several callers share: it waits one second for a
	// lock, so that one caller's row does not hold up all.
	Impatient = Frequent + `, set_config('lock_timeout', '1s', true)`

	// Local is Frequent for writes that need not wait for a standby: what a failover takes back of
	// them is done again.
	Local = Frequent + `, set_config('synchronous_commit', 'local', true), ` +
		`set_config('enable_hashjoin', 'off', true)`

	// Async is Plain for writes that may be lost in a crash.
	Async = Plain + `, set_config('synchronous_commit', 'off', true)`

	// Migration is Plain for changes of the schema, which may take ten minutes. A host that is cut
	// off in the middle of one still holds up the others for seconds only.
	Migration = Plain + `, set_config('statement_timeout', '10min', true), ` +
		`set_config('lock_timeout', '10min', true), ` +
		`CASE WHEN current_setting('transaction_timeout', true) IS NOT NULL ` +
		`THEN set_config('transaction_timeout', '0', true) END`
)

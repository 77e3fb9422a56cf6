package pgstore

import (
	"embed"
	"strings"

	"github.com/jackc/pgx/v5"
)

//go:embed sql/*.sql
var sqlFiles embed.FS

// schemaInFiles is what the schema is called in the embedded files.
const schemaInFiles = "outhook."

// statements are the embedded statements for one schema.
type statements struct {
	block, clerk                                      string
	enqueue                                           string
	intake, claim, wait, claims, claimedSubscriptions string
	pausedWait                                        string
	importSubscription, importDeliveries              string
	importHistory, reserve                            string
	abandon, finishLock, healthLock, finish, release  string
	create, get, update, remove, listSubscriptions    string
	requeue, probeNow, attempts, sweepable, sweep     string
	pruneLock, prune                                  string
	statsAll, statsOne, queueListing, historyListing  string
	tally, talliesOf                                  string
	erasable, erasableOne, eraseLock, erase           string
}

func newStatements(schema string) *statements {
	prefix := pgx.Identifier{schema}.Sanitize() + "."
	file := func(name string) string {
		text, err := sqlFiles.ReadFile("sql/" + name + ".sql")
		if err != nil {
			panic(err) // it is embedded
		}
		return strings.ReplaceAll(string(text), schemaInFiles, prefix)
	}
	return &statements{
		block:                file("block"),
		clerk:                file("clerk"),
		enqueue:              file("enqueue"),
		intake:               file("intake"),
		claim:                file("claim"),
		wait:                 file("wait"),
		pausedWait:           file("pausedwait"),
		claims:               file("claims"),
		claimedSubscriptions: file("claimedsubscriptions"),
		abandon:              file("abandon"),
		importSubscription:   file("importsubscription"),
		importDeliveries:     file("importdeliveries"),
		importHistory:        file("importhistory"),
		reserve:              file("reserve"),
		finishLock:           file("finishlock"),
		healthLock:           file("healthlock"),
		finish:               file("finish"),
		release:              file("release"),
		create:               file("create"),
		get:                  file("get"),
		update:               file("update"),
		remove:               file("delete"),
		listSubscriptions:    file("listsubscriptions"),
		requeue:              file("requeue"),
		probeNow:             file("probenow"),
		attempts:             file("attempts"),
		sweepable:            file("sweepable"),
		sweep:                file("sweep"),
		pruneLock:            file("prunelock"),
		prune:                file("prune"),
		statsAll:             file("statsall"),
		statsOne:             file("statsone"),
		queueListing:         file("queuelisting"),
		historyListing:       file("historylisting"),
		tally:                file("tally"),
		talliesOf:            file("talliesof"),
		erasable:             file("erasable"),
		erasableOne:          file("erasableone"),
		eraseLock:            file("eraselock"),
		erase:                file("erase"),
	}
}

// Settings of the transactions in which the statements run. Their plans must be the same for an empty table and for a
// million rows, whatever the statistics say at the moment: by the indexes. A claim need not be on disk when it returns: a
// crash of the server that loses one repeats an attempt. A Finish is, on this server: what a crash takes back of it is not
// only attempted again, but leased to nobody until that runs out.
const (
	plainSettings = `SELECT ` + limits + `, set_config('jit', 'off', true), set_config('enable_nestloop', 'on', true), ` +
		`set_config('enable_indexscan', 'on', true)`
	planByIndex = `set_config('enable_seqscan', 'off', true), ` +
		`set_config('enable_bitmapscan', 'off', true), set_config('enable_mergejoin', 'off', true)`
	indexSettings   = plainSettings + `, ` + planByIndex
	enqueueSettings = indexSettings
	claimSettings   = indexSettings + `, set_config('synchronous_commit', 'off', true)`
	finishSettings  = indexSettings + `, set_config('synchronous_commit', 'local', true), set_config('enable_hashjoin', 'off', true)`
)

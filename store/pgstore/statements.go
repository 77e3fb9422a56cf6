package pgstore

import (
	"embed"
	"reflect"
	"strings"

	"github.com/jackc/pgx/v5"
)

//go:embed sql/*.sql
var sqlFiles embed.FS

// schemaInFiles is what the schema is called in the embedded files.
const schemaInFiles = "outhook."

// statements are the embedded statements for one schema: each is in the file with its name, in
// small letters.
type statements struct {
	Enqueue, Published, Spill                              string
	Claim, States, Windows, Newest, Park                   string
	Finish, Subjects, InsertDeliveries                     string
	UpdateDeliveries, SetHealth, Unblock, UnblockAll       string
	Notice, Noticed, TakeNotices, LockShared               string
	Renew, Lows, Shares, Replicas, Acquire, Release        string
	Leave, Former, Implicit, Waiting                       string
	Create, Get, Update, Remove, ListSubscriptions         string
	Attempts, ListAll, ListRows, ListImplicit              string
	Requeue, Erasable, ErasableOne, Erase, EraseStep       string
	Erasing, PruneLock, Prune, Settle, Lag                 string
	SweepCanceled, SweepDeleted                            string
	SpillKeyed, HoldBack                                   string
	Pending, CountSubscriptions, HealthOf, HealthForUpdate string
	CountPending, Tally, TalliesOf, Nums, ProbeNow         string
	ImportSubscription, ImportDeliveries                   string
	ImportHistory, Reserve                                 string
}

func newStatements(schema string) *statements {
	prefix := pgx.Identifier{schema}.Sanitize() + "."
	var all statements
	v := reflect.ValueOf(&all).Elem()
	for i := range v.NumField() {
		text, err := sqlFiles.ReadFile("sql/" + strings.ToLower(v.Type().Field(i).Name) + ".sql")
		if err != nil {
			panic(err) // it is embedded
		}
		v.Field(i).SetString(strings.ReplaceAll(string(text), schemaInFiles, prefix))
	}
	return &all
}

// Settings of the transactions in which the statements run. Their plans must be the same for an
// empty table and for a million rows, whatever the statistics say at the moment: by the indexes. A
// Finish need not wait for a standby: what a failover takes back of it is attempted again.
const (
	plainSettings = `SELECT ` + limits + `, set_config('jit', 'off', true), set_config('enable_nestloop', 'on', true), ` +
		`set_config('enable_indexscan', 'on', true)`
	planByIndex = `set_config('enable_seqscan', 'off', true), ` +
		`set_config('enable_bitmapscan', 'off', true), set_config('enable_mergejoin', 'off', true)`
	indexSettings   = plainSettings + `, ` + planByIndex
	enqueueSettings = indexSettings
	finishSettings  = indexSettings + `, set_config('synchronous_commit', 'local', true), set_config('enable_hashjoin', 'off', true)`
)

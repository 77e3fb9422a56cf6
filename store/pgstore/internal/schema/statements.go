package schema

import (
	"embed"
	"reflect"
	"strings"
)

//go:embed sql/*.sql
var sqlFiles embed.FS

// placeholder is how the embedded files name the schema.
const placeholder = "outhook."

// In returns a text, such as an embedded one, for the schema.
func (n Name) In(text string) string {
	return strings.ReplaceAll(text, placeholder, n.Quoted()+".")
}

// Statements are the embedded statements for one schema. Each is in the file of its name, in small
// letters, which says what it does.
type Statements struct {
	// Dealing shares.
	Renew, Lows, Shares, Replicas, Acquire, Release string
	Leave, Former, Implicit, Waiting, Lag, CatchUp  string
	SharesForUpdate, LockShared                     string
	Notice, Noticed, TakeNotices                    string

	// Moving tenants.
	LockWriter, LockHost, LockHolders string
	RequireSettled, RequireSettledOf  string
	TenantStates, UnsettleTenant      string
	TenantClosed, CloseTenant         string
	SettleTenant                      string
	Drained, DrainedOfShares, Closing string
	Exportable, ExportEvents          string
	TakenIDs, NumsOfIDs, SomeOfTenant string
	ForgetEvents, ImportTenant        string

	// From an event to its outcome.
	Enqueue, Published, Reserve, HoldTakers          string
	Claim, States, Windows, Newest, Park, Nums       string
	Finish, Subjects, InsertDeliveries               string
	UpdateDeliveries, SetHealth, Unblock, UnblockAll string
	Spill, SpillKeyed, HoldBack, WriteCounts         string

	// Reading and changing what is stored.
	Create, Get, Update, Remove, ListSubscriptions string
	CountSubscriptions, HealthOf, HealthForUpdate  string
	Event, Attempts, Listed                        string
	Pending, CountPending, NumsOfTenant, CountsOf  string
	NumOf                                          string
	Requeue, ProbeNow                              string
	Erasable, ErasableOne, Erase, EraseStep        string
	Erasing, PruneLock, Prune                      string
	PurgeCanceled, PurgeDeleted, NoteTimes         string
	Expire, PurgeExpired                           string
	ImportSubscription, ImportDeliveries           string
	ImportHistory, ImportKnown                     string
}

// Statements returns the statements for the schema.
func (n Name) Statements() *Statements {
	var all Statements
	v := reflect.ValueOf(&all).Elem()
	for i := range v.NumField() {
		// By the field's name, so a field without a file is found by the first test.
		text, err := sqlFiles.ReadFile("sql/" + strings.ToLower(v.Type().Field(i).Name) + ".sql")
		if err != nil {
			panic(err) // it is embedded
		}
		v.Field(i).SetString(n.In(string(text)))
	}
	return &all
}

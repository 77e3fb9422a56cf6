package schema

import (
	"hash/fnv"

	"github.com/jackc/pgx/v5"
)

// Name is the name of the schema. Any name will do, as it is always quoted.
type Name string

// Quoted returns the name as an SQL identifier.
func (n Name) Quoted() string { return pgx.Identifier{string(n)}.Sanitize() }

// Table returns the name of a table of the schema as an SQL identifier.
func (n Name) Table(table string) string { return pgx.Identifier{string(n), table}.Sanitize() }

// Channel returns the name of the notification channel.
func (n Name) Channel() string { return string(n) }

// LockKey returns the number of an advisory lock of the schema. Advisory locks are the whole
// database's, so the number depends on the schema too.
func (n Name) LockKey(what string) int64 {
	h := fnv.New64a()
	h.Write([]byte("outhook\x00" + string(n) + "\x00" + what))
	return int64(h.Sum64())
}

// ReplicaLock returns the number of the advisory lock that the transactions of a replica hold. The
// numbers of replicas are random, and so are their locks; two that are equal only wait for each
// other.
func (n Name) ReplicaLock(replica int64) int64 { return n.LockKey("replica") ^ replica }

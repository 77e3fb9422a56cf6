package pgstore

import (
	"hash/fnv"

	"github.com/jackc/pgx/v5"
)

// table returns the name of a table of this schema.
func (s *Store) table(name string) string { return pgx.Identifier{s.o.Schema, name}.Sanitize() }

// lockKey returns the number of an advisory lock of this schema.
func (s *Store) lockKey(what string) int64 {
	h := fnv.New64a()
	h.Write([]byte("outhook\x00" + s.o.Schema + "\x00" + what))
	return int64(h.Sum64())
}

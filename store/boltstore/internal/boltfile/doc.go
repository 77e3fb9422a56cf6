// Package boltfile opens a bbolt file so that damage, crashes and full disks become errors. It
// knows bbolt, and nothing of what is stored.
//
// # The problem
//
// bbolt maps its file into memory and trusts it. A page that is missing is a fault, which ends the
// process. A page that is damaged is a panic, sometimes in a goroutine of bbolt's own, where nobody
// can recover. An empty file is silently filled. What a killed process wrote last is taken to be on
// disk although nobody has synced it. And a cursor that steps backward goes wrong in a transaction
// that has deleted keys. A library in a host's process can accept none of that.
//
//	Open      is it there? ──no──► create under a temporary name, sync, link to its own name
//	             │ yes                             │
//	             ▼                                 ▼
//	          sync the folder ◄────────────────────┘
//	             ▼
//	          verify the head ──► lock, shared ──► verify the tree ──► lock, exclusive
//
//	File      page   0        1        2 …                          high water
//	             ┌────────┬────────┬────────┬────────┬── ─ ─ ──┬────────┐
//	             │ meta 0 │ meta 1 │ branch │ leaf   │  free   │ leaf   │
//	             └───┬────┴────────┴──▲─────┴──▲─────┴── ─ ─ ──┴──▲─────┘
//	                 └── root ────────┴── child ┴─────────────────┘
//
// The valid meta page with the higher transaction number counts. A commit writes the pages of the
// new tree where pages are free, syncs them, writes the older meta page, and syncs again.
//
// # Invariants
//
//   - A file that Open makes appears under its own name complete and synced, or not at all. (Where
//     the file system has no links, a crash can leave an empty one, which Open refuses.)
//   - bbolt follows no page of a file that Open was given before the tree has been verified: each
//     page is in the file, is what it says, is reached once, and has its keys in order.
//   - A file that is refused is left as it is, byte for byte.
//   - A transaction of BeginWrite builds on a state that is on disk. After an open, and after a
//     commit that failed, both meta pages are written again and synced first.
//   - A panic or fault inside Guard, View or Update is a *CorruptError, and leaves no lock behind.
//   - Backup copies what one transaction sees. That is open no longer than a copy to disk takes.
//   - Backward steps are taken by LastBetween and Descend only.
//
// What is outside: the content of keys and values. A damaged value passes, so the code that stores
// it adds a checksum. And a file that changes while it is open is found out only by the fault or
// panic that it causes.
package boltfile

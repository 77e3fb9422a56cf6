package boltstore

import bolt "go.etcd.io/bbolt"

// WithBudget returns options with a budget other than the default.
func WithBudget(n int) *Options { return &Options{budget: n} }

// FailCommits makes commits call f, which gets the real one, until it is called with nil.
func (s *Store) FailCommits(f func(commit func() error) error) {
	if f == nil {
		s.commitTx = (*bolt.Tx).Commit
		return
	}
	s.commitTx = func(tx *bolt.Tx) error { return f(tx.Commit) }
}

// DB returns the store's database.
func (s *Store) DB() *bolt.DB { return s.db }

package boltstore

// flush writes what was changed of backlogs and healths. It must come last.
func (t *txn) flush() error {
	if err := t.pending.Flush(); err != nil {
		return err
	}
	return t.subs.flush()
}

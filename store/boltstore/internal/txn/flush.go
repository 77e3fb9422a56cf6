package txn

// Flush writes what was changed of backlogs and healths. It must come last.
func (t *Tx) Flush() error {
	if err := t.Pending.Backlogs.Flush(); err != nil {
		return err
	}
	return t.Subs.flush()
}

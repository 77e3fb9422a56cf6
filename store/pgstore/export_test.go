package pgstore

// Statement is one of the store's statements, as it is sent.
type Statement struct{ Settings, SQL string }

// HotStatements returns those that run for each batch of deliveries.
func (s *Store) HotStatements() map[string]Statement {
	return map[string]Statement{
		"enqueue": {enqueueSettings, s.sql.enqueue},
		"intake":  {claimSettings, s.sql.intake},
		"claim":   {claimSettings, s.sql.claim},
		"wait":    {claimSettings, s.sql.wait},
		"claims":  {claimSettings, s.sql.claims},
		"finish":  {finishSettings, s.sql.finish},
	}
}

// EnqueueArgs returns the arguments of the enqueue statement.
var (
	EnqueueArgs = enqueueArgs
	Build       = build
	FinishArgs  = finishArgs
)

// PruneLock is the key of the advisory lock that whoever prunes holds.
func (s *Store) PruneLock() int64 { return s.lockKey("prune") }

// What parses what was stored or comes from outside.
var (
	AttemptLine = attemptLine
	ParseLog    = parseLog
)

// SameCursor parses a cursor and writes it again.
func SameCursor(text string) (string, error) {
	c, err := parseCursor(text)
	if err != nil || !c.set {
		return "", err
	}
	return c.String(), nil
}

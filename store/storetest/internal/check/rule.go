package check

// Rule is one sentence of the contract and the test of it.
type Rule struct {
	Name     string
	Sentence string
	Test     func(c *Driver)

	Days     bool // it takes days of the store's clock
	Restarts bool // it takes a store that can be reopened
	HostTx   bool // it takes a store that enqueues in host transactions
	RealTime bool // it takes real time: something blocks in it that no bubble knows
}

// Group is the rules of one method, or of some that go together.
type Group struct {
	Name  string
	Rules []Rule
}

// Find returns the rule that is named "group/name", and reports whether there is one.
func Find(groups []Group, name string) (Rule, bool) {
	for _, g := range groups {
		for _, r := range g.Rules {
			if g.Name+"/"+r.Name == name {
				return r, true
			}
		}
	}
	return Rule{}, false
}

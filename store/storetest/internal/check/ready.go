package check

import "time"

// Signals checks that do makes Ready get a value.
func Signals(c *Driver, what string, do func()) {
	ready := c.Store.Ready()
	select {
	case <-ready: // of what went before
	default:
	}
	do()
	timer := time.NewTimer(c.Skew)
	defer timer.Stop()
	select {
	case <-ready:
	case <-timer.C:
		c.Errorf("after %s: got nothing from Ready within %v", what, c.Skew)
	}
}

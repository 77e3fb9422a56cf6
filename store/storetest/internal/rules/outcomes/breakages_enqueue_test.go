package outcomes_test

import (
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func enqueueBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "never says that it is ready", Rule: "ready/enqueue",
			Spoil: func(b *broken.Store) {
				b.OnReady = func() <-chan struct{} { return nil }
			}},
	}
}

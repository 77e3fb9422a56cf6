package history_test

import (
	"time"

	"github.com/outhook/outhook/store"
	"github.com/outhook/outhook/store/storetest/internal/broken"
)

func windowBreakages() []broken.Breakage {
	return []broken.Breakage{
		{Name: "says when the last failure was", Rule: "stats/failing-since",
			Spoil: func(b *broken.Store) {
				b.OnStats = broken.StatsWith(b, func(_ string, stats *store.Stats) {
					stats.FailingSince = stats.FailingSince.Add(stats.Health.FailingFor)
				})
			}},
		{Name: "has always been failing", Rule: "stats/failing-since",
			Spoil: func(b *broken.Store) {
				b.OnStats = broken.StatsWith(b, func(id string, stats *store.Stats) {
					if id != "" && stats.FailingSince.IsZero() {
						stats.FailingSince = time.Now()
					}
				})
			}},
	}
}

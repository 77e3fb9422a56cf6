package faults_test

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/outhook/outhook/internal/faults"
)

// The least that must happen in a life of the host before it is killed, but for those that are
// killed while they start.
const (
	minAcked   = 50
	minArrived = 50
)

// TestFaultKill kills a host at random moments. A file serves for fifty of its lives.
func TestFaultKill(t *testing.T) {
	defer watch(t)()
	lives := scaled(15, 50, 50)
	kills := scaled(15, 50, 1000)
	total := faults.Verdict{}
	for round := range kills / lives {
		v := killRound(t, round, lives)
		total.Acked += v.Acked
		total.Erased += v.Erased
		total.Arrived += v.Arrived
		total.Lost += v.Lost
		total.Doubled += v.Doubled
		total.Failed += v.Failed
	}
	if total.Acked < kills*minAcked {
		t.Errorf("only %d events were acknowledged over %d kills: too little traffic to say anything",
			total.Acked, kills)
	}
	if total.Erased < kills {
		t.Errorf("only %d events were erased over %d kills", total.Erased, kills)
	}
	t.Logf("%d kills: %v", kills, total)
}

// killRound is the lives of a host on one file.
func killRound(t *testing.T, round, lives int) faults.Verdict {
	ledger := faults.NewLedger()
	receiver := faults.NewReceiver(ledger, faults.Moody)
	defer receiver.Close()
	config := faults.Config{
		Path:       filepath.Join(t.TempDir(), "outhook.db"),
		URLs:       []string{receiver.URL + "/a", receiver.URL + "/b"},
		Publishers: 6,
		Pause:      time.Millisecond,
		Erase:      true,
	}
	for life := range lives {
		config.Agent = fmt.Sprintf("r%dl%d", round, life)
		config.Again = ledger.InDoubt()
		h := start(t, config, ledger.Note)
		if life%5 != 4 {
			await(t, h, faults.Running)
			awaitTraffic(t, ledger)
		}
		<-time.After(rand.N(100 * time.Millisecond))
		h.Kill()
	}
	config.Agent, config.Again, config.Publishers = fmt.Sprintf("r%dlast", round), ledger.InDoubt(), 0
	config.Script = []string{faults.NewID(config.Agent, 0)}
	h := start(t, config, ledger.Note)
	if err := h.Wait(patience); err != nil {
		t.Fatal(err)
	}
	return judge(t, ledger, "/a", "/b")
}

// awaitTraffic waits until there has been some more.
func awaitTraffic(t *testing.T, l *faults.Ledger) {
	t.Helper()
	acked, arrived := l.Progress()
	for deadline := time.Now().Add(patience); ; {
		nowAcked, nowArrived := l.Progress()
		if nowAcked-acked >= minAcked && nowArrived-arrived >= minArrived {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d events were acknowledged and %d requests arrived in %v, want at least %d and %d",
				nowAcked-acked, nowArrived-arrived, patience, minAcked, minArrived)
		}
		<-time.After(time.Millisecond)
	}
}

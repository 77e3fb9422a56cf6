package faults

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"

	"github.com/outhook/outhook/store/boltstore"
)

// Power cuts the power at each step of one or more lives of a host. Start records a life; Replay
// then makes each file that a power cut could have left, opens it and searches it.
type Power struct {
	Config Config
	// Choices is how many of the random losses of Losses are tried at each step, beside all and none.
	Choices int
	// Cut, unless nil, is told of each cut: how many events had been acknowledged, and how many the
	// file has.
	Cut func(step, acked, found int)

	Steps  int      // at which the power was cut
	Images int      // files that were looked at; what was known already is not looked at again
	Acked  int      // events that were acknowledged, at most
	Losses []string // what was wrong with a file

	folder string // for traces
	memory string // for files, where they cost no disk
	traces []string
	random *rand.Rand
	seen   map[[sha256.Size]byte]int // files that were looked at, with what was known then: events
}

// NewPower returns a Power for a host with two subscriptions, whose endpoints are inside it. All
// its files are made in folder, but for those that are looked at, which are in memory.
func NewPower(folder, memory string, c Config) *Power {
	c.Path = filepath.Join(folder, "store", "outhook.db")
	c.URLs = []string{"http://127.0.0.1:9999/a", "http://127.0.0.1:9999/b"}
	c.Agent, c.Inside = "power", true
	return &Power{
		Config: c, Choices: 1, folder: folder, memory: memory,
		random: rand.New(rand.NewPCG(1, 2)), seen: make(map[[sha256.Size]byte]int),
	}
}

// Start starts a life of the host whose system calls are recorded. What is injected is as for
// TraceArgs.
func (p *Power) Start(note func(Mark), inject ...string) (*Child, error) {
	if err := os.MkdirAll(filepath.Dir(p.Config.Path), 0o700); err != nil {
		return nil, err
	}
	trace := filepath.Join(p.folder, fmt.Sprintf("trace-%d", len(p.traces)))
	p.traces = append(p.traces, trace)
	return Start(p.Config, note, TraceArgs(trace, inject...)...)
}

// Replay looks at what a power cut would leave at each step. The hosts must have ended.
func (p *Power) Replay() error {
	disk := NewDisk(filepath.Dir(p.Config.Path))
	for _, name := range p.traces {
		trace, err := os.Open(name)
		if err != nil {
			return err
		}
		err = disk.Replay(trace, func(step string, marks []Mark) error {
			p.Steps++
			for name, loss := range Losses(p.random, p.Choices) {
				found, err := p.cut(disk, loss, marks)
				if err != nil {
					p.Losses = append(p.Losses,
						fmt.Sprintf("step %d, %s, of what was not synced %s: %v", p.Steps, step, name, err))
				}
				if p.Cut != nil {
					p.Cut(p.Steps, len(factsOf(marks).acked), found)
				}
			}
			return nil
		})
		trace.Close()
		if err != nil {
			return err
		}
	}
	return nil
}

// cut opens the store that a power cut would leave now, and searches it for what was acknowledged.
// It returns how many events the file has; none if it can't be opened.
func (p *Power) cut(disk *Disk, loss Loss, marks []Mark) (events int, err error) {
	folder, err := os.MkdirTemp(p.memory, "image")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(folder)
	if err := disk.Image(folder, loss); err != nil {
		return 0, err
	}
	known := factsOf(marks)
	known.pruned = p.Config.Prune
	p.Acked = max(p.Acked, len(known.acked))
	path := filepath.Join(folder, "outhook.db")
	content, _ := os.ReadFile(path)
	key := sha256.Sum256(fmt.Appendf(content, "%v", len(marks)))
	if events, ok := p.seen[key]; ok {
		return events, nil
	}
	p.Images++
	defer func() { p.seen[key] = events }()
	s, err := boltstore.Open(path, nil)
	if err != nil {
		return 0, err
	}
	defer s.Close()
	return known.check(s)
}

// MemoryFolder makes a folder that costs no disk, where there is one, and otherwise one in
// os.TempDir.
func MemoryFolder() (string, error) {
	folder, err := os.MkdirTemp("/dev/shm", "outhook")
	if err != nil {
		return os.MkdirTemp("", "outhook")
	}
	return folder, nil
}

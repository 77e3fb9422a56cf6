package faults

import (
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Disk is a model of the disk under one folder, as a run of system calls leaves it. It knows what
// is synced, which is there after a power cut, and what is not, which may be there in part.
//
// A write and a change of size are on disk after a sync of the file that began when they had ended;
// a name is after a sync of the folder, likewise.
type Disk struct {
	dir   string
	fds   map[int64]*file // nil for the folder itself
	names map[string]*file
	kept  map[string]*file // the names that are on disk
	count int
	marks []Mark // of the hosts so far

	pendingNames []naming
}

// file is the content of a file.
type file struct {
	number  int
	kept    []byte
	pending []change
}

// change is a write, or with nil data a new size, that is not synced.
type change struct {
	at   int64
	data []byte
}

// naming is a new name of a file, or with nil the end of one.
type naming struct {
	name string
	file *file
}

// NewDisk returns the model of an empty folder.
func NewDisk(dir string) *Disk {
	return &Disk{dir: dir, fds: make(map[int64]*file), names: make(map[string]*file),
		kept: make(map[string]*file)}
}

// Replay reads the trace of a host and calls at after each step that changes what a power cut would
// leave, and after each mark. The marks are those that it, and those before it, had written by
// then.
func (d *Disk) Replay(trace io.Reader, at func(step string, marks []Mark) error) error {
	clear(d.fds)
	syncing := make(map[*file]int) // how many changes the sync under way covers
	return readTrace(trace, func(c *call) error {
		step, err := d.step(c, syncing)
		if err != nil {
			return err
		}
		if c.name == "write" && c.ended && c.number(0) == 1 {
			m := ParseMark(strings.TrimSuffix(c.text(1), "\n"))
			d.marks = append(d.marks, m)
			step = "mark " + m.Kind
		}
		if step == "" {
			return nil
		}
		return at(step, d.marks)
	})
}

// step does one call to the model. It returns its name when what a power cut would leave may be
// another now.
func (d *Disk) step(c *call, syncing map[*file]int) (string, error) {
	if c.ended && c.outcome < 0 {
		return "", nil
	}
	switch c.name {
	case "openat":
		if c.ended {
			d.open(c)
		}
	case "close":
		if !c.ended {
			delete(d.fds, c.number(0))
		}
	case "pwrite64":
		return d.write(c)
	case "ftruncate":
		if f := d.fds[c.number(0)]; f != nil && c.ended {
			f.pending = append(f.pending, change{at: c.number(1)})
			return c.name, nil
		}
	case "fdatasync", "fsync":
		return d.sync(c, syncing), nil
	case "linkat":
		if c.ended {
			d.name(c.text(3), d.names[d.local(c.text(1))])
		}
	case "renameat", "renameat2", "rename":
		if c.ended {
			i := len(c.args) / 3 // rename has no folders, renameat2 flags
			from, to := c.text(i), c.text(2*i+min(i, 1))
			f := d.names[d.local(from)]
			d.name(to, f)
			d.name(from, nil)
		}
	case "unlinkat":
		if c.ended {
			d.name(c.text(1), nil)
		}
	case "fallocate":
		return "", fmt.Errorf("faults: disk: fallocate is not modelled")
	}
	return "", nil
}

// local returns the name of a path in the folder; "" for one elsewhere.
func (d *Disk) local(path string) string {
	if filepath.Dir(path) != d.dir {
		return ""
	}
	return filepath.Base(path)
}

func (d *Disk) open(c *call) {
	path, flags := c.text(1), c.text(2)
	if path == d.dir {
		d.fds[c.outcome] = nil
		return
	}
	name := d.local(path)
	if name == "" {
		return
	}
	f := d.names[name]
	if f == nil {
		d.count++
		f = &file{number: d.count}
		d.name(path, f)
	} else if strings.Contains(flags, "O_TRUNC") {
		f.pending = append(f.pending, change{})
	}
	d.fds[c.outcome] = f
}

func (d *Disk) name(path string, f *file) {
	name := d.local(path)
	if name == "" {
		return
	}
	if f == nil {
		delete(d.names, name)
	} else {
		d.names[name] = f
	}
	d.pendingNames = append(d.pendingNames, naming{name, f})
}

// write notes a write when it begins: from then on it may be on disk.
func (d *Disk) write(c *call) (string, error) {
	f := d.fds[c.number(0)]
	if f == nil {
		return "", nil
	}
	if !c.ended {
		f.pending = append(f.pending, change{at: c.number(3), data: []byte(c.text(1))})
		return c.name, nil
	}
	if int(c.outcome) != len(c.text(1)) {
		return "", fmt.Errorf("faults: disk: a short write is not modelled")
	}
	return "", nil
}

// sync keeps, when it has ended, what was there when it began.
func (d *Disk) sync(c *call, syncing map[*file]int) string {
	f, known := d.fds[c.number(0)]
	switch {
	case !known:
		return ""
	case f == nil && !c.ended:
		syncing[nil] = len(d.pendingNames)
		return ""
	case f == nil:
		for _, n := range d.pendingNames[:syncing[nil]] {
			apply(d.kept, n)
		}
		d.pendingNames = slices.Clone(d.pendingNames[syncing[nil]:])
	case !c.ended:
		syncing[f] = len(f.pending)
		return ""
	default:
		for _, ch := range f.pending[:syncing[f]] {
			f.kept = ch.on(f.kept)
		}
		f.pending = slices.Clone(f.pending[syncing[f]:])
	}
	return c.name
}

func apply(names map[string]*file, n naming) {
	if n.file == nil {
		delete(names, n.name)
	} else {
		names[n.name] = n.file
	}
}

// on returns the content with the change done.
func (ch change) on(content []byte) []byte {
	end := int(ch.at) + len(ch.data)
	if ch.data == nil || end > len(content) {
		content = append(content, make([]byte, max(0, end-len(content)))...)
	}
	if ch.data == nil {
		return content[:end]
	}
	copy(content[ch.at:], ch.data)
	return content
}

// Loss decides what a power cut does to what was not synced.
type Loss interface {
	// Names returns how many of n pending changes of names have been done.
	Names(n int) int

	// Change returns what is left of a change; nothing, or pieces of it.
	Change(ch Piece) []Piece
}

// Piece is a part of a write, or with nil Data a new size.
type Piece struct {
	At   int64
	Data []byte
}

// Dirty reports whether anything is not synced.
func (d *Disk) Dirty() bool {
	dirty := len(d.pendingNames) > 0
	for _, f := range d.names {
		dirty = dirty || len(f.pending) > 0
	}
	return dirty
}

// Image writes to a folder what a power cut now would leave.
func (d *Disk) Image(folder string, loss Loss) error {
	names := maps.Clone(d.kept)
	for _, n := range d.pendingNames[:loss.Names(len(d.pendingNames))] {
		apply(names, n)
	}
	for name, f := range names {
		content := slices.Clone(f.kept)
		for _, ch := range f.pending {
			for _, p := range loss.Change(Piece{ch.at, ch.data}) {
				content = change{at: p.At, data: p.Data}.on(content)
			}
		}
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

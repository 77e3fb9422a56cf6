package faults

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Child is a host in a process of its own.
type Child struct {
	cmd    *exec.Cmd
	stderr bytes.Buffer
	read   chan struct{} // closed when all its marks are read

	mu   sync.Mutex
	seen map[string]chan struct{} // by kind of mark; closed when the first has come
}

// Start starts a host, as this program over again, whose main function must begin with HostMain.
// Each mark is given to note, in one goroutine. The command line is put before the program's: of
// strace, say.
func Start(c Config, note func(Mark), commandLine ...string) (*Child, error) {
	text, err := json.Marshal(c)
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	args := append(commandLine, self)
	h := &Child{cmd: exec.Command(args[0], args[1:]...), read: make(chan struct{}),
		seen: make(map[string]chan struct{})}
	h.cmd.Env = append(os.Environ(), configEnv+"="+string(text),
		"GORACE=atexit_sleep_ms=0 halt_on_error=1")
	h.cmd.Stderr = &h.stderr
	h.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if _, err := h.cmd.StdinPipe(); err != nil { // stays open for as long as this process lives
		return nil, err
	}
	out, err := h.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := h.cmd.Start(); err != nil {
		return nil, fmt.Errorf("faults: start: %w", err)
	}
	go func() {
		defer close(h.read)
		readMarks(out, func(m Mark) {
			note(m)
			h.saw(m.Kind)
		})
	}()
	return h, nil
}

func (c *Child) saw(kind string) {
	ch := c.firstOf(kind)
	select {
	case <-ch:
	default:
		close(ch)
	}
}

func (c *Child) firstOf(kind string) chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.seen[kind] == nil {
		c.seen[kind] = make(chan struct{})
	}
	return c.seen[kind]
}

// Await waits for the first mark of a kind.
func (c *Child) Await(kind string, patience time.Duration) error {
	select {
	case <-c.firstOf(kind):
		return nil
	case <-c.read:
		select {
		case <-c.firstOf(kind):
			return nil
		default:
		}
		return fmt.Errorf("faults: the host ended before it was %q: %s", kind, c.complaint())
	case <-time.After(patience):
		return fmt.Errorf("faults: the host was not %q within %v", kind, patience)
	}
}

// Signal sends a signal to the host, and to what it was started under.
func (c *Child) Signal(s syscall.Signal) error { return syscall.Kill(-c.cmd.Process.Pid, s) }

// Wait waits for the end of the host and returns how it ended: nil for by itself and well. One that
// does not end is killed.
func (c *Child) Wait(patience time.Duration) error {
	late := time.AfterFunc(patience, func() { c.Signal(syscall.SIGKILL) })
	<-c.read
	err := c.cmd.Wait()
	if !late.Stop() {
		return fmt.Errorf("faults: the host did not end within %v", patience)
	}
	if err != nil {
		return fmt.Errorf("faults: the host: %w: %s", err, c.complaint())
	}
	return nil
}

// Kill kills the host and waits for its end.
func (c *Child) Kill() {
	c.Signal(syscall.SIGKILL)
	<-c.read
	c.cmd.Wait()
}

// complaint is the end of what the host wrote to standard error. It must have ended.
func (c *Child) complaint() string {
	text := c.stderr.String()
	return strings.TrimSpace(text[max(0, len(text)-4000):])
}

package receiver

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// Process is the sender's end of the receiver's process.
type Process struct {
	url     string
	process *exec.Cmd
	stdin   io.Closer
}

// Arg is the argument that makes a command the receiver's process.
const Arg = "receive"

// Start starts this program anew, with Arg as its argument. It ends when its input does, and so
// never outlives the sender.
func Start(ctx context.Context) (*Process, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, Arg)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	r := &Process{process: cmd, stdin: stdin}
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the receiver says no address: %w", err)
	}
	r.url = "http://" + strings.TrimSpace(addr)
	return r, nil
}

// At returns the receiver that another process has started, by its URL. Close does nothing to it.
func At(url string) *Process { return &Process{url: url} }

// URL returns the URL that At takes.
func (r *Process) URL() string { return r.url }

// Close ends the process.
func (r *Process) Close() {
	if r.process == nil {
		return
	}
	r.stdin.Close()
	r.process.Wait()
}

// Hook returns the URL of a path.
func (r *Process) Hook(path int) string { return fmt.Sprintf("%s%s%d", r.url, hookPath, path) }

// Tarpit returns the URL of a path that never answers.
func (r *Process) Tarpit(path int) string { return fmt.Sprintf("%s/hang/%d", r.url, path) }

// Expect tells the receiver what is to come, and has it forget what came.
//
// That is the events 0 to events−1, each once on each of the paths 0 to paths−1.
func (r *Process) Expect(ctx context.Context, paths, events int) error {
	_, err := r.ask(ctx, "/expect", expectation{paths, events})
	return err
}

// Patience is how long Wait lets all take to come.
const Patience = 2 * time.Minute

// Wait returns when all has come. It is an error when something is missing after Patience.
func (r *Process) Wait(ctx context.Context) (Report, error) { return r.WaitFor(ctx, Patience) }

// WaitFor is Wait with a patience of the caller's.
func (r *Process) WaitFor(ctx context.Context, patience time.Duration) (Report, error) {
	got, err := r.ask(ctx, "/wait?for="+patience.String(), nil)
	if err == nil && got.Missing > 0 {
		err = got.Err()
	}
	return got, err
}

// Judge returns what has come in all. It is an error unless that is all, each once.
func (r *Process) Judge(ctx context.Context) (Report, error) {
	got, err := r.ask(ctx, "/report", nil)
	if err == nil {
		err = got.Err()
	}
	return got, err
}

func (r *Process) ask(ctx context.Context, path string, question any) (answer Report, err error) {
	body, err := json.Marshal(question)
	if err != nil {
		return answer, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+path, bytes.NewReader(body))
	if err != nil {
		return answer, err
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return answer, err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		return answer, fmt.Errorf("the receiver answers %s with %s: %s, %w", path, res.Status, text, err)
	}
	if len(text) > 0 {
		err = json.Unmarshal(text, &answer)
	}
	return answer, err
}

package main

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

// receiver is the sender's end of the receiver's process.
type receiver struct {
	url     string
	process *exec.Cmd
	stdin   io.Closer
}

// startReceiver starts this program anew as a receiver. It ends when its input does, and so never
// outlives the sender.
func startReceiver(ctx context.Context) (*receiver, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, self, receiverArg)
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
	r := &receiver{process: cmd, stdin: stdin}
	addr, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return nil, fmt.Errorf("the receiver says no address: %w", err)
	}
	r.url = "http://" + strings.TrimSpace(addr)
	return r, nil
}

func (r *receiver) close() {
	r.stdin.Close()
	r.process.Wait()
}

// hook returns the URL of a path.
func (r *receiver) hook(path int) string { return fmt.Sprintf("%s%s%d", r.url, hookPath, path) }

// expect tells the receiver what is to come, and has it forget what came.
func (r *receiver) expect(ctx context.Context, e expectation) error {
	_, err := r.ask(ctx, "/expect", e)
	return err
}

// patience is how long all may take to come.
const patience = 2 * time.Minute

// wait returns when all has come. It is an error when something is missing after a while.
func (r *receiver) wait(ctx context.Context) (report, error) {
	got, err := r.ask(ctx, "/wait?for="+patience.String(), nil)
	if err == nil && got.Missing > 0 {
		err = got.err()
	}
	return got, err
}

// judge returns what has come in all. It is an error unless that is all, each once.
func (r *receiver) judge(ctx context.Context) (report, error) {
	got, err := r.ask(ctx, "/report", nil)
	if err == nil {
		err = got.err()
	}
	return got, err
}

func (r *receiver) ask(ctx context.Context, path string, question any) (answer report, err error) {
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

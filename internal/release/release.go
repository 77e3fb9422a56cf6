package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
)

// release is one release of the repository at root.
type release struct {
	ctx     context.Context
	root    string
	version string
	out     io.Writer
	modules []module
	branch  string
	head    string // the commit before the release
}

func newRelease(ctx context.Context, dir, version string, out io.Writer) (*release, error) {
	if err := checkVersion(version); err != nil {
		return nil, err
	}
	r := &release{ctx: ctx, root: dir, version: version, out: out}
	root, err := r.git("rev-parse", "--show-toplevel")
	if err != nil {
		return nil, err
	}
	r.root = root
	return r, r.readModules()
}

// run runs a command in a folder of the repository and returns its output, less white space around.
func (r *release) run(dir string, name string, args ...string) (string, error) {
	return r.runEnv(filepath.Join(r.root, filepath.FromSlash(dir)), os.Environ(), name, args...)
}

func (r *release) runEnv(dir string, env []string, name string, args ...string) (string, error) {
	cmd := exec.CommandContext(r.ctx, name, args...)
	cmd.Dir, cmd.Env = dir, env
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, args[0], err, strings.TrimSpace(stderr.String()))
	}
	return strings.TrimSpace(string(out)), nil
}

func (r *release) git(args ...string) (string, error) { return r.run(".", "git", args...) }

// make makes the release. If it fails, the branch and the files are as before: the tree was clean.
func (r *release) make() (err error) {
	defer func() {
		if err != nil {
			back := &release{ctx: context.WithoutCancel(r.ctx), root: r.root}
			_, undo := back.git("reset", "--hard", r.head)
			err = errors.Join(err, undo)
		}
	}()
	changed, err := r.require()
	if err != nil {
		return err
	}
	if err := r.checkBuild(); err != nil {
		return err
	}
	if len(changed) > 0 {
		args := append([]string{"commit", "--quiet", "-m", "release " + r.version, "--"}, changed...)
		if _, err := r.git(args...); err != nil {
			return err
		}
	}
	if err := r.tag(); err != nil {
		return err
	}
	fmt.Fprintf(r.out, "released %s on %s: %s\n", r.version, r.branch, strings.Join(r.tags(), ", "))
	fmt.Fprintf(r.out, "try it:  go run ./internal/release -proxy <folder> %s\n", r.version)
	fmt.Fprintf(r.out, "push it: git push --atomic origin %s %s\n",
		r.branch, strings.Join(r.tags(), " "))
	return nil
}

// require makes each module require this version of the others, and returns the files it changed.
func (r *release) require() (changed []string, err error) {
	for _, m := range r.modules {
		args := []string{"mod", "edit"}
		for _, other := range r.ours(m) {
			args = append(args, "-require="+other+"@"+r.version)
		}
		if len(args) == 2 {
			continue
		}
		if _, err := r.run(m.dir, "go", args...); err != nil {
			return nil, err
		}
		file := path.Join(m.dir, "go.mod")
		status, err := r.git("status", "--porcelain", "--", file)
		if err != nil {
			return nil, err
		}
		if status != "" {
			changed = append(changed, file)
		}
	}
	return changed, nil
}

// checkBuild checks that the go command takes the changed go.mod files as they are.
func (r *release) checkBuild() error {
	for _, m := range r.released() {
		if _, err := r.run(m.dir, "go", "list", "-mod=readonly", "-deps", "./..."); err != nil {
			return fmt.Errorf("%s: %w", m.path, err)
		}
	}
	return nil
}

// tag makes all tags or none.
func (r *release) tag() error {
	commit, err := r.git("rev-parse", "HEAD")
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("start\n")
	for _, tag := range r.tags() {
		fmt.Fprintf(&b, "create refs/tags/%s %s\n", tag, commit)
	}
	b.WriteString("prepare\ncommit\n")
	cmd := exec.CommandContext(r.ctx, "git", "update-ref", "--stdin")
	cmd.Dir, cmd.Stdin = r.root, strings.NewReader(b.String())
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("git update-ref: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

func (r *release) tags() []string {
	var list []string
	for _, m := range r.released() {
		list = append(list, m.tag(r.version))
	}
	return list
}

// describe says what make would do.
func (r *release) describe() error {
	for _, m := range r.modules {
		for _, other := range r.ours(m) {
			fmt.Fprintf(r.out, "would require %s %s in %s\n", other, r.version, path.Join(m.dir, "go.mod"))
		}
	}
	fmt.Fprintf(r.out, "would commit on %s, and tag %s\n", r.branch, strings.Join(r.tags(), ", "))
	return nil
}

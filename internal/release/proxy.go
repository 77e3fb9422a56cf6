package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
)

// writeProxy writes the tagged modules to a folder that is a GOPROXY. The go command itself makes
// the files, from this repository's tags, as it or a public proxy will make them from the published
// ones; so the hashes are the same.
func (r *release) writeProxy(dir string) (err error) {
	temp, err := os.MkdirTemp("", "release-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(temp)) }()
	root := r.modules[0].path
	env := append(os.Environ(),
		"GOPROXY=direct", "GOPRIVATE="+root, "GONOSUMDB="+root, "GOWORK=off",
		"GOMODCACHE="+filepath.Join(temp, "mod"), "GOFLAGS=-modcacherw",
		// Instead of the public repository, git reads this one.
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=url.file://"+filepath.ToSlash(r.root)+".insteadOf",
		"GIT_CONFIG_VALUE_0=https://"+root,
	)
	for _, m := range r.released() {
		text, err := r.runEnv(temp, env, "go", "mod", "download", "-json", m.path+"@"+r.version)
		if err != nil {
			return fmt.Errorf("%s: %w; make the release first", m.tag(r.version), err)
		}
		var got download
		if err := json.Unmarshal([]byte(text), &got); err != nil {
			return err
		}
		if err := got.copyTo(dir, filepath.Join(temp, "mod", "cache", "download")); err != nil {
			return err
		}
		fmt.Fprintf(r.out, "%s %s %s\n", m.path, r.version, got.Sum)
	}
	return nil
}

// download is what go mod download -json prints, as far as it is needed.
type download struct{ Version, Info, GoMod, Zip, Sum string }

// copyTo copies a module's files from the go command's cache to a proxy's folder, which has the
// same form, and adds the version to the list there.
func (d download) copyTo(dir, cache string) error {
	rel, err := filepath.Rel(cache, filepath.Dir(d.Zip))
	if err != nil {
		return err
	}
	to := filepath.Join(dir, rel)
	if err := os.MkdirAll(to, 0o755); err != nil {
		return err
	}
	for _, name := range []string{d.Info, d.GoMod, d.Zip} {
		if err := copyFile(filepath.Join(to, filepath.Base(name)), name); err != nil {
			return err
		}
	}
	list, err := os.ReadFile(filepath.Join(to, "list"))
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return err
	}
	for line := range strings.FieldsSeq(string(list)) {
		if line == d.Version {
			return nil
		}
	}
	return os.WriteFile(filepath.Join(to, "list"), append(list, d.Version+"\n"...), 0o644)
}

func copyFile(to, from string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}

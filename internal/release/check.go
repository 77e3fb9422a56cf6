package main

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"
)

var semver = regexp.MustCompile(
	`^v(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z-]+(\.[0-9A-Za-z-]+)*)?$`)

// checkVersion checks the version alone.
func checkVersion(version string) error {
	m := semver.FindStringSubmatch(version)
	if m == nil {
		return fmt.Errorf("the version %q is not of the form v1.2.3 or v1.2.3-rc.1", version)
	}
	if major, err := strconv.Atoi(m[1]); err != nil || major > 1 {
		return fmt.Errorf("the version %s needs module paths that end in /v%s; change them first",
			version, m[1])
	}
	return nil
}

// check checks everything that must hold before a release.
func (r *release) check() error {
	if err := r.checkGit(); err != nil {
		return err
	}
	if err := r.checkModules(); err != nil {
		return err
	}
	stated, err := r.statedVersion()
	if err != nil {
		return err
	}
	if "v"+stated != r.version {
		return fmt.Errorf("dispatcher.Version is %q; set it to %q and commit", stated, r.version[1:])
	}
	text, err := os.ReadFile(filepath.Join(r.root, "CHANGELOG.md"))
	if err != nil {
		return err
	}
	return checkChangelog(string(text), r.version[1:])
}

// checkGit checks that the tree is clean, on a branch, and has none of the tags.
func (r *release) checkGit() error {
	status, err := r.git("status", "--porcelain")
	if err != nil {
		return err
	}
	if status != "" {
		return fmt.Errorf("the tree is not clean; commit or remove:\n%s", status)
	}
	if r.branch, err = r.git("symbolic-ref", "--quiet", "--short", "HEAD"); err != nil {
		return errors.New("HEAD is detached; check out the branch that gets the release's commit")
	}
	if r.head, err = r.git("rev-parse", "HEAD"); err != nil {
		return err
	}
	for _, m := range r.released() {
		tag := m.tag(r.version)
		if found, err := r.git("tag", "--list", tag); err != nil || found != "" {
			return errors.Join(err, fmt.Errorf("the tag %s exists; a published version never changes, "+
				"so take the next one", tag))
		}
	}
	return nil
}

// statedVersion is the constant dispatcher.Version.
func (r *release) statedVersion() (string, error) {
	files, err := filepath.Glob(filepath.Join(r.root, "dispatcher", "*.go"))
	if err != nil {
		return "", err
	}
	for _, name := range files {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			return "", err
		}
		for _, d := range file.Decls {
			gen, ok := d.(*ast.GenDecl)
			if !ok || gen.Tok != token.CONST {
				continue
			}
			for _, s := range gen.Specs {
				v := s.(*ast.ValueSpec)
				if len(v.Names) != 1 || v.Names[0].Name != "Version" || len(v.Values) != 1 {
					continue
				}
				if lit, ok := v.Values[0].(*ast.BasicLit); ok {
					return strconv.Unquote(lit.Value)
				}
			}
		}
	}
	return "", errors.New("package dispatcher has no constant Version that is a string")
}

// checkChangelog checks that the newest section is of the version, and dated.
func checkChangelog(text, version string) error {
	for line := range strings.Lines(text) {
		heading, ok := strings.CutPrefix(strings.TrimSpace(line), "## ")
		if !ok {
			continue
		}
		name, date, _ := strings.Cut(heading, " ")
		if name != version {
			return fmt.Errorf("the first section of CHANGELOG.md is %q; begin one for %s", heading, version)
		}
		if _, err := time.Parse("(2006-01-02)", date); err != nil {
			return fmt.Errorf("the section %q of CHANGELOG.md has no date; "+
				"write \"## %s (YYYY-MM-DD)\" and commit", heading, version)
		}
		return nil
	}
	return errors.New("CHANGELOG.md has no section")
}

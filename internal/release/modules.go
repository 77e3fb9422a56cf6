package main

import (
	"encoding/json"
	"fmt"
	"path"
	"slices"
	"strings"
)

// released are the folders of the modules that hosts require, the root first.
var released = []string{
	".", "dispatcher/oauth2auth", "dispatcher/otelhooks", "events/jsonschema", "store/pgstore",
}

// unreleased are the folders of the modules that only this repository uses.
var unreleased = []string{
	"dispatcher/oauth2auth/interop",
	"events/cloudevents/interop",
	"examples/metrics",
	"examples/postgres",
	"examples/saas",
	"httpapi/console/browsertest",
	"httpapi/console/mounttest",
	"httpapi/openapitest",
	"internal/bench/peers",
	"signing/interop",
	"store/pgstore/internal/bench",
}

// module is a module of the repository.
type module struct {
	dir  string // from the root of the repository, with slashes
	path string
	file goMod
}

// goMod is what go mod edit -json prints, as far as it is needed.
type goMod struct {
	Module  struct{ Path string }
	Require []struct{ Path, Version string }
	Replace []struct {
		Old struct{ Path, Version string }
		New struct{ Path, Version string }
	}
}

// tag is the name of the tag of a version of the module.
func (m module) tag(version string) string {
	if m.dir == "." {
		return version
	}
	return m.dir + "/" + version
}

// readModules reads the go.mod of each module, the root's first.
func (r *release) readModules() error {
	list, err := r.git("ls-files", "--", "go.mod", "*/go.mod")
	if err != nil {
		return err
	}
	for file := range strings.FieldsSeq(list) {
		m := module{dir: path.Dir(file)}
		text, err := r.run(m.dir, "go", "mod", "edit", "-json")
		if err != nil {
			return err
		}
		if err := json.Unmarshal([]byte(text), &m.file); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		m.path = m.file.Module.Path
		r.modules = append(r.modules, m)
	}
	slices.SortFunc(r.modules, func(x, y module) int { return strings.Compare(x.dir, y.dir) })
	return nil
}

// checkModules checks that each module is known, and that each of them that a nested module
// requires is replaced by its folder.
func (r *release) checkModules() error {
	var dirs []string
	for _, m := range r.modules {
		dirs = append(dirs, m.dir)
		if !slices.Contains(released, m.dir) && !slices.Contains(unreleased, m.dir) {
			return fmt.Errorf("the module in %s is new: list it in internal/release/modules.go, "+
				"as released or unreleased", m.dir)
		}
		for _, other := range r.ours(m) {
			if !m.replaces(other, r.modules) {
				return fmt.Errorf("%s/go.mod requires %s but does not replace it by its folder; "+
					"add a replace directive, so that the tree needs no published version", m.dir, other)
			}
		}
	}
	for _, dir := range slices.Concat(released, unreleased) {
		if !slices.Contains(dirs, dir) {
			return fmt.Errorf("there is no go.mod in %s; take it out of internal/release/modules.go", dir)
		}
	}
	return nil
}

// ours are the paths that a module requires of this repository's modules.
func (r *release) ours(m module) []string {
	var paths []string
	for _, required := range m.file.Require {
		for _, other := range r.modules {
			if other.path == required.Path {
				paths = append(paths, other.path)
			}
		}
	}
	return paths
}

// replaces reports whether m replaces the module at a path by that module's folder.
func (m module) replaces(other string, all []module) bool {
	for _, rep := range m.file.Replace {
		for _, o := range all {
			folder := path.Join(m.dir, rep.New.Path) // go.mod has slashes on every system
			if rep.Old.Path == other && o.path == other && folder == o.dir {
				return true
			}
		}
	}
	return false
}

// released returns the modules that are released.
func (r *release) released() []module {
	var list []module
	for _, m := range r.modules {
		if slices.Contains(released, m.dir) {
			list = append(list, m)
		}
	}
	return list
}

package main

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"path"
	"regexp"
	"strconv"
	"strings"
)

// apply returns the texts of the files that a seed changes. It is an error if the seed does not
// apply, changes nothing, or leaves a file that can't be parsed.
func (t *tree) apply(s seed) (map[string]string, error) {
	changed := make(map[string]string)
	for _, e := range s.edits {
		if err := t.edit(e, changed); err != nil {
			return nil, err
		}
	}
	for file, text := range changed {
		if strings.HasSuffix(file, ".sql") {
			continue
		}
		dropped, err := dropUnusedImports(file, t.files[file], text)
		if err != nil {
			return nil, fmt.Errorf("the code after the change can't be parsed: %w", err)
		}
		changed[file] = dropped
	}
	return changed, nil
}

// edit applies one edit to the texts in changed.
func (t *tree) edit(e edit, changed map[string]string) error {
	d, err := t.locate(e)
	if err != nil {
		return err
	}
	if text, ok := changed[d.file]; ok { // an edit before this one has changed the file: look anew
		again := newTree(t.root)
		if err := again.add(d.file, text); err != nil {
			return err
		}
		if d, err = again.locate(e); err != nil {
			return err
		}
		t = again
	}
	text := t.files[d.file]
	body := text[d.from:d.to]
	for _, c := range e.changes {
		after, err := replace(body, c, d.isSQL())
		if err != nil {
			return fmt.Errorf("%s: %w", d.file, err)
		}
		body = after
	}
	text = text[:d.from] + body + text[d.to:]
	for _, imported := range e.imports {
		text = addImport(text, imported)
	}
	changed[d.file] = text
	return nil
}

// locate finds the only declaration of an edit's place in which the code of its changes occurs.
func (t *tree) locate(e edit) (decl, error) {
	var fit []decl
	for _, d := range t.at(e.where) {
		if t.has(d, e.changes[0]) {
			fit = append(fit, d)
		}
	}
	switch len(fit) {
	case 0:
		return decl{}, t.diagnose(e)
	case 1:
		return fit[0], nil
	}
	var where []string
	for _, d := range fit {
		where = append(where, t.position(d.file, d.from))
	}
	return decl{}, fmt.Errorf("the code of \"in %v\" is in several declarations of that name: %s; "+
		"write a folder before the name", e.where, strings.Join(where, ", "))
}

// has reports whether the code of a change occurs in a declaration.
func (t *tree) has(d decl, c change) bool {
	list := split(t.files[d.file][d.from:d.to], d.isSQL())
	return len(newPattern(c.old, d.isSQL()).find(list)) > 0
}

// replace makes one change in the text of a declaration.
func replace(body string, c change, sql bool) (string, error) {
	list := split(body, sql)
	found := newPattern(c.old, sql).find(list)
	switch {
	case len(found) == 0:
		return "", fmt.Errorf("no code %q", oneLine(c.old))
	case len(found) > 1 && !c.all:
		return "", fmt.Errorf("the code %q occurs %d times; "+
			"take more of what surrounds it, or write -all", oneLine(c.old), len(found))
	}
	var b strings.Builder
	end := 0
	for _, m := range found {
		b.WriteString(body[end:list[m.from].from])
		b.WriteString(replacement(c.new, body, list, m, sql))
		end = list[m.to-1].to
	}
	b.WriteString(body[end:])
	if b.String() == body {
		return "", fmt.Errorf("%q is replaced by itself", oneLine(c.old))
	}
	return b.String(), nil
}

var packageClause = regexp.MustCompile(`(?m)^package \w+`)

// addImport adds an import behind the package clause, if the file does not have it.
func addImport(text, imported string) string {
	if strings.Contains(text, strconv.Quote(imported)) {
		return text
	}
	at := packageClause.FindStringIndex(text)[1]
	return text[:at] + "; import " + strconv.Quote(imported) + text[at:]
}

// dropUnusedImports makes those imports blank that the change has left without a use: a seed that
// removes the last use of a package must still compile, in any file that the code has moved to.
func dropUnusedImports(file, before, after string) (string, error) {
	fset := token.NewFileSet()
	parsed, err := parser.ParseFile(fset, file, after, parser.SkipObjectResolution)
	if err != nil {
		return "", err
	}
	was, err := qualifiers(file, before)
	if err != nil {
		return "", err
	}
	is, err := qualifiers(file, after)
	if err != nil {
		return "", err
	}
	for i := len(parsed.Imports) - 1; i >= 0; i-- {
		spec := parsed.Imports[i]
		name := importName(spec)
		if !was[name] || is[name] {
			continue
		}
		from, to := fset.Position(spec.Pos()).Offset, fset.Position(spec.End()).Offset
		after = after[:from] + "_ " + spec.Path.Value + after[to:]
	}
	return after, nil
}

// importName is the name by which a file knows an import; of one with a version at its end, such as
// pgx/v5, it is the element before.
func importName(spec *ast.ImportSpec) string {
	if spec.Name != nil {
		return spec.Name.Name
	}
	p, _ := strconv.Unquote(spec.Path.Value)
	base := path.Base(p)
	if regexp.MustCompile(`^v\d+$`).MatchString(base) {
		base = path.Base(path.Dir(p))
	}
	return base
}

// qualifiers returns each x of an x.y in a file.
func qualifiers(file, text string) (map[string]bool, error) {
	parsed, err := parser.ParseFile(token.NewFileSet(), file, text, parser.SkipObjectResolution)
	if err != nil {
		return nil, err
	}
	names := make(map[string]bool)
	ast.Inspect(parsed, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok {
				names[x.Name] = true
			}
		}
		return true
	})
	return names, nil
}

// oneLine is code with its white space reduced to blanks.
func oneLine(code string) string { return strings.Join(strings.Fields(code), " ") }

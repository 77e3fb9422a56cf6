package main

import (
	"go/scanner"
	"go/token"
	"regexp"
	"strings"
)

// tok is a token and where it stands in its text.
type tok struct {
	text     string
	from, to int
}

// wildcard is what the name of a $x becomes, so that Go's scanner takes it for an identifier.
const wildcard = "wildcard__"

var wildcards = regexp.MustCompile(`\$(\w+)`)

// goTokens splits Go code into tokens, without comments and without the semicolons that line breaks
// stand for.
func goTokens(text string) []tok {
	fset := token.NewFileSet()
	file := fset.AddFile("", -1, len(text))
	var s scanner.Scanner
	s.Init(file, []byte(text), func(token.Position, string) {}, 0)
	var list []tok
	for {
		pos, kind, lit := s.Scan()
		switch {
		case kind == token.EOF:
			return list
		case kind == token.SEMICOLON && lit == "\n":
			continue
		case lit == "" || kind == token.SEMICOLON:
			lit = kind.String()
		}
		from := file.Offset(pos)
		list = append(list, tok{text: lit, from: from, to: min(from+len(lit), len(text))})
	}
}

var sqlToken = regexp.MustCompile(`--[^\n]*|\w+|[^\s\w]`)

// sqlTokens splits SQL into words and signs, without comments.
func sqlTokens(text string) []tok {
	var list []tok
	for _, at := range sqlToken.FindAllStringIndex(text, -1) {
		if t := text[at[0]:at[1]]; !strings.HasPrefix(t, "--") {
			list = append(list, tok{text: t, from: at[0], to: at[1]})
		}
	}
	return list
}

// split splits a text in the language of its file.
func split(text string, sql bool) []tok {
	if sql {
		return sqlTokens(text)
	}
	return goTokens(text)
}

// pattern is the "-" of a change.
type pattern []tok

func newPattern(code string, sql bool) pattern {
	if !sql { // $1 is a parameter in SQL
		code = wildcards.ReplaceAllString(code, wildcard+"$1")
	}
	return split(code, sql)
}

// match is where a pattern occurs: tokens from..to-1, and the token ranges of its wildcards.
type match struct {
	from, to int
	bound    map[string][2]int
}

// find returns where the pattern occurs in list; matches do not overlap.
func (p pattern) find(list []tok) []match {
	var found []match
	for i := 0; i < len(list); i++ {
		bound := make(map[string][2]int)
		if to, ok := p.matchAt(list, i, bound); ok {
			found = append(found, match{from: i, to: to, bound: bound})
			i = to - 1
		}
	}
	return found
}

// matchAt matches the pattern at list[i] and returns the end of the match.
func (p pattern) matchAt(list []tok, i int, bound map[string][2]int) (int, bool) {
	if len(p) == 0 {
		return i, true
	}
	name, isWildcard := strings.CutPrefix(p[0].text, wildcard)
	if !isWildcard {
		if i == len(list) || list[i].text != p[0].text {
			return 0, false
		}
		return p[1:].matchAt(list, i+1, bound)
	}
	depth := 0
	for j := i; j < len(list); j++ { // list[i:j+1] is what the wildcard takes
		switch list[j].text {
		case "(", "[", "{":
			depth++
		case ")", "]", "}":
			depth--
		}
		if depth < 0 {
			break
		}
		if depth > 0 {
			continue
		}
		if to, ok := p[1:].matchAt(list, j+1, bound); ok {
			bound[name] = [2]int{i, j + 1}
			return to, true
		}
	}
	return 0, false
}

// replacement is the "+" of a change with the wildcards of a match filled in from text.
func replacement(code, text string, list []tok, m match, sql bool) string {
	code = strings.TrimSuffix(code, "\n")
	if sql {
		return code
	}
	return wildcards.ReplaceAllStringFunc(code, func(name string) string {
		at, ok := m.bound[name[1:]]
		if !ok {
			return name
		}
		return text[list[at[0]].from:list[at[1]-1].to]
	})
}

package main

import "regexp"

// alternatives splits an expression of go test's -run at each "|" that stands in no brackets, as
// package testing does.
func alternatives(run string) []string { return splitOutside(run, '|') }

// compileTop compiles the part of an alternative that names top-level tests: what comes before the
// first "/".
func compileTop(alternative string) (*regexp.Regexp, error) {
	return regexp.Compile(splitOutside(alternative, '/')[0])
}

// splitOutside splits s at each sep outside brackets.
func splitOutside(s string, sep byte) []string {
	var parts []string
	depth, from := 0, 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '(', '[':
			depth++
		case ')', ']':
			depth--
		case '\\':
			i++
		case sep:
			if depth == 0 {
				parts = append(parts, s[from:i])
				from = i + 1
			}
		}
	}
	return append(parts, s[from:])
}

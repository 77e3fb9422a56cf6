package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode"
)

// diagnose says why an edit applies nowhere, and what to write instead, as far as that can be told.
func (t *tree) diagnose(e edit) error {
	named := t.at(e.where)
	missing := e.changes[0].old
	var b strings.Builder
	if len(named) == 0 {
		fmt.Fprintf(&b, "there is no declaration %q", e.where.name)
		if e.where.dir != "" {
			fmt.Fprintf(&b, " in or under %s", e.where.dir)
		}
	} else {
		fmt.Fprintf(&b, "%q at %s has no code %q", e.where.name,
			t.position(named[0].file, named[0].from), oneLine(missing))
	}
	var elsewhere []decl
	for _, d := range t.decls {
		if t.has(d, e.changes[0]) {
			elsewhere = append(elsewhere, d)
		}
	}
	if len(elsewhere) > 0 {
		slices.SortStableFunc(elsewhere, func(x, y decl) int { // those of the same name first
			return compareBool(y.name == e.where.name, x.name == e.where.name)
		})
		b.WriteString("; the same code is in")
		for i, d := range elsewhere {
			if i == 5 {
				fmt.Fprintf(&b, "\n\tand %d more", len(elsewhere)-i)
				break
			}
			fmt.Fprintf(&b, "\n\t%s: write \"in %v\"", t.position(d.file, d.from), place{name: d.name})
		}
		return errors.New(b.String())
	}
	among := named
	if len(among) == 0 {
		among = t.decls
	}
	if near, ok := t.closest(among, missing); ok {
		fmt.Fprintf(&b, "\n\tclosest: %s, in %s", t.position(near.decl.file, near.from), near.decl.name)
		fmt.Fprintf(&b, "\n\tthe seed has  %s", oneLine(missing))
		code := wholeLines(t.files[near.decl.file], near.from, near.to)
		fmt.Fprintf(&b, "\n\tthe code has  %s", oneLine(code))
	}
	return errors.New(b.String())
}

// nearMiss is the code of a declaration that is most like that of a seed.
type nearMiss struct {
	decl     decl
	from, to int // of the file's text
	score    int
}

// closest finds it by the tokens in common with a window as long as the code. Names weigh more than
// signs, which every piece of code has.
func (t *tree) closest(among []decl, code string) (best nearMiss, ok bool) {
	for _, d := range among {
		want := newPattern(code, d.isSQL())
		list := split(t.files[d.file][d.from:d.to], d.isSQL())
		left := make(map[string]int) // of each token: in the code, and not in the window
		for _, w := range want {
			left[w.text]++
		}
		score := 0
		for i := range list {
			if left[list[i].text]--; left[list[i].text] >= 0 {
				score += weight(list[i].text)
			}
			out := i - len(want)
			if out >= 0 {
				if left[list[out].text]++; left[list[out].text] > 0 {
					score -= weight(list[out].text)
				}
			}
			if score > best.score {
				first := max(out+1, 0)
				best = nearMiss{decl: d, from: d.from + list[first].from, to: d.from + list[i].to, score: score}
			}
		}
	}
	return best, best.score > 0
}

// wholeLines is text[from:to] with the rest of its first and last line.
func wholeLines(text string, from, to int) string {
	from = strings.LastIndexByte(text[:from], '\n') + 1
	if end := strings.IndexByte(text[to:], '\n'); end >= 0 {
		to += end
	}
	return text[from:to]
}

func weight(token string) int {
	if strings.IndexFunc(token, unicode.IsLetter) >= 0 {
		return 4
	}
	return 1
}

// position is file:line of an offset in a file.
func (t *tree) position(file string, offset int) string {
	return fmt.Sprintf("%s:%d", file, 1+strings.Count(t.files[file][:offset], "\n"))
}

// compareBool orders false before true.
func compareBool(x, y bool) int {
	switch {
	case x == y:
		return 0
	case y:
		return -1
	}
	return 1
}

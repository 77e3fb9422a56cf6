// Package actor keeps in a context who acts, and says what was done. A name is made safe for logs
// once, when it is given; what reads it can print it.
package actor

import (
	"context"
	"strings"
	"unicode"
)

// Max is how many characters a name has at most.
const Max = 128

// key is the key of a name in a context.
type key struct{}

// With returns a context with a name. What can't be printed is replaced by U+FFFD, and what is
// beyond Max characters is cut off.
func With(ctx context.Context, name string) context.Context {
	var clean strings.Builder
	n := 0
	for _, r := range name {
		if n++; n > Max {
			break
		}
		if !unicode.IsPrint(r) {
			r = unicode.ReplacementChar
		}
		clean.WriteRune(r)
	}
	return context.WithValue(ctx, key{}, clean.String())
}

// Of returns the name in a context; empty if there is none.
func Of(ctx context.Context) string {
	name, _ := ctx.Value(key{}).(string)
	return name
}

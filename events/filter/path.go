package filter

import (
	"fmt"
	"strings"
)

// node is a place in a payload that a path names, or that is on the way to one. All paths of a
// filter together are a tree of them, so that one walk through a payload serves all.
type node struct {
	name     string // of the member, decoded
	children []*node

	conds  []cond // what is asked of the value
	exists uint64 // the bits of conditions that hold if the member is there
	below  uint64 // the bits of all conditions on it and on what is below

	whole bool // of Fields: the value is wanted as it is
}

// at returns the node of a path, and makes it if it is new.
func (n *node) at(steps []string) *node {
	for _, name := range steps {
		next := n.child(name)
		if next == nil {
			next = &node{name: name}
			n.children = append(n.children, next)
		}
		n = next
	}
	return n
}

func (n *node) child(name string) *node {
	for _, c := range n.children {
		if c.name == name {
			return c
		}
	}
	return nil
}

// sum fills in below.
func (n *node) sum() uint64 {
	n.below = n.exists
	for i := range n.conds {
		n.below |= n.conds[i].bit
	}
	for _, c := range n.children {
		n.below |= c.sum()
	}
	return n.below
}

// steps takes a path apart. If it is none, reason says why, without its name.
func steps(path string) (names []string, reason string) {
	var name strings.Builder
	empty := func() string {
		return "has a path with an empty step; write names with single dots between them"
	}
	for i := 0; i < len(path); i++ {
		switch c := path[i]; {
		case c == '$' && i == 0:
			return nil, `has a path that begins with a dollar; write "\\$…" for a member of that name`
		case c == '.':
			if name.Len() == 0 {
				return nil, empty()
			}
			names = append(names, name.String())
			name.Reset()
		case c == '\\':
			i++
			if i == len(path) || strings.IndexByte(`.\$`, path[i]) < 0 {
				return nil, "has a path with a backslash before a character that needs none; " +
					"write one only before a dot, a dollar or another backslash"
			}
			name.WriteByte(path[i])
		case c == 0:
			return nil, "has a path with a NUL character; remove it"
		default:
			name.WriteByte(c)
		}
	}
	if name.Len() == 0 {
		return nil, empty()
	}
	names = append(names, name.String())
	if len(names) > MaxSteps {
		return nil, fmt.Sprintf("has a path of %d steps; give at most %d", len(names), MaxSteps)
	}
	return names, ""
}

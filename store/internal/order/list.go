package order

import "slices"

// blockSize is how many positions a block of an ordered list holds at most.
const blockSize = 256

// list is positions in their order, in blocks, so that adding one costs a search and
// the moving of a part of one block, for any length. A list of a window with a bound is a single
// block.
type list struct {
	blocks [][]Position // none is empty
	size   int
}

// find returns where p stands, or would.
func (l *list) find(p Position) (block, i int, found bool) {
	byLast := func(b []Position, p Position) int { return b[len(b)-1].Compare(p) }
	block, _ = slices.BinarySearchFunc(l.blocks, p, byLast)
	if block == len(l.blocks) {
		return block, 0, false
	}
	i, found = slices.BinarySearchFunc(l.blocks[block], p, Position.Compare)
	return block, i, found
}

// first returns the first position.
func (l *list) first() (p Position, ok bool) {
	if l.size == 0 {
		return Position{}, false
	}
	return l.blocks[0][0], true
}

// last returns the last position. There must be one.
func (l *list) last() Position {
	b := l.blocks[len(l.blocks)-1]
	return b[len(b)-1]
}

// from returns the first position that is not before p.
func (l *list) from(p Position) (Position, bool) {
	block, i, _ := l.find(p)
	if block == len(l.blocks) {
		return Position{}, false
	}
	return l.blocks[block][i], true
}

// add puts p in, unless it is in.
func (l *list) add(p Position) {
	block, i, found := l.find(p)
	switch {
	case found:
		return
	case l.size == 0:
		l.blocks = append(l.blocks, nil)
	case block == len(l.blocks): // after all others
		block--
		i = len(l.blocks[block])
	}
	l.size++
	b := slices.Insert(l.blocks[block], i, p)
	l.blocks[block] = b
	if len(b) > blockSize {
		half := len(b) / 2
		l.blocks[block] = b[:half:half]
		l.blocks = slices.Insert(l.blocks, block+1, slices.Clone(b[half:]))
	}
}

// remove takes p out, if it is in.
func (l *list) remove(p Position) {
	if block, i, found := l.find(p); found {
		l.removeAt(block, i)
	}
}

// removeSeq takes an event out, if it is in. It searches the whole list.
func (l *list) removeSeq(seq uint64) {
	for block, b := range l.blocks {
		if i := slices.IndexFunc(b, func(p Position) bool { return p.Seq == seq }); i >= 0 {
			l.removeAt(block, i)
			return
		}
	}
}

func (l *list) removeAt(block, i int) {
	l.size--
	l.blocks[block] = slices.Delete(l.blocks[block], i, i+1)
	if len(l.blocks[block]) == 0 {
		l.blocks = slices.Delete(l.blocks, block, block+1)
	}
	if l.size == 0 {
		l.blocks = nil // thousands of windows are empty: they hold no memory
	}
}

// all returns the positions in their order.
func (l *list) all() []Position { return slices.Concat(l.blocks...) }

// set replaces the list by positions in their order, which it keeps.
func (l *list) set(positions []Position) {
	*l = list{size: len(positions)}
	for len(positions) > blockSize {
		l.blocks = append(l.blocks, positions[:blockSize:blockSize])
		positions = positions[blockSize:]
	}
	if len(positions) > 0 {
		l.blocks = append(l.blocks, positions)
	}
}

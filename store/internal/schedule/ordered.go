package schedule

import "slices"

// blockSize is how many positions a block of an ordered list holds at most.
const blockSize = 256

// ordered is a list of positions in their order, in blocks, so that adding one costs a search and
// the moving of a part of one block, for any length. A list of a window with a bound is a single
// block.
type ordered struct {
	blocks [][]Position // none is empty
	size   int
}

// find returns where p stands, or would.
func (o *ordered) find(p Position) (block, i int, found bool) {
	byLast := func(b []Position, p Position) int { return b[len(b)-1].Compare(p) }
	block, _ = slices.BinarySearchFunc(o.blocks, p, byLast)
	if block == len(o.blocks) {
		return block, 0, false
	}
	i, found = slices.BinarySearchFunc(o.blocks[block], p, Position.Compare)
	return block, i, found
}

// first returns the first position.
func (o *ordered) first() (p Position, ok bool) {
	if o.size == 0 {
		return Position{}, false
	}
	return o.blocks[0][0], true
}

// last returns the last position. There must be one.
func (o *ordered) last() Position {
	b := o.blocks[len(o.blocks)-1]
	return b[len(b)-1]
}

// from returns the first position that is not before p.
func (o *ordered) from(p Position) (Position, bool) {
	block, i, _ := o.find(p)
	if block == len(o.blocks) {
		return Position{}, false
	}
	return o.blocks[block][i], true
}

// add puts p in, unless it is in.
func (o *ordered) add(p Position) {
	block, i, found := o.find(p)
	switch {
	case found:
		return
	case o.size == 0:
		o.blocks = append(o.blocks, nil)
	case block == len(o.blocks): // after all others
		block--
		i = len(o.blocks[block])
	}
	o.size++
	b := slices.Insert(o.blocks[block], i, p)
	o.blocks[block] = b
	if len(b) > blockSize {
		half := len(b) / 2
		o.blocks[block] = b[:half:half]
		o.blocks = slices.Insert(o.blocks, block+1, slices.Clone(b[half:]))
	}
}

// remove takes p out, if it is in.
func (o *ordered) remove(p Position) {
	if block, i, found := o.find(p); found {
		o.removeAt(block, i)
	}
}

// removeSeq takes an event out, if it is in. It searches the whole list.
func (o *ordered) removeSeq(seq uint64) {
	for block, b := range o.blocks {
		if i := slices.IndexFunc(b, func(p Position) bool { return p.Seq == seq }); i >= 0 {
			o.removeAt(block, i)
			return
		}
	}
}

func (o *ordered) removeAt(block, i int) {
	o.size--
	o.blocks[block] = slices.Delete(o.blocks[block], i, i+1)
	if len(o.blocks[block]) == 0 {
		o.blocks = slices.Delete(o.blocks, block, block+1)
	}
	if o.size == 0 {
		o.blocks = nil // thousands of windows are empty: they hold no memory
	}
}

// all returns the positions in their order.
func (o *ordered) all() []Position { return slices.Concat(o.blocks...) }

// set replaces the list by positions in their order, which it keeps.
func (o *ordered) set(positions []Position) {
	*o = ordered{size: len(positions)}
	for len(positions) > blockSize {
		o.blocks = append(o.blocks, positions[:blockSize:blockSize])
		positions = positions[blockSize:]
	}
	if len(positions) > 0 {
		o.blocks = append(o.blocks, positions)
	}
}

package filter

// Steps returns how many names and values a match of a payload looks at.
func (f *Filter) Steps(payload []byte) int {
	w := f.walk(payload)
	return w.steps
}

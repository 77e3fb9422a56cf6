package asking

const MaxKept = maxKept

// Kept returns how much is kept, as a sum of what is there.
func (k *Asker) Kept() (bytes int) {
	for _, list := range k.lists {
		for _, p := range list {
			bytes += p.size()
		}
	}
	return bytes
}

// ForgetPayload makes the next filter that is asked read the event again.
func (a *Answers) ForgetPayload() { a.payload = nil }
